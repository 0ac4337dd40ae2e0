package sparkservice.bridge;

import java.util.concurrent.Callable;

/** Checked exceptions through Scala's functions, which declare none. */
final class Unchecked {
    private Unchecked() {
    }

    static <T> T call(Callable<T> body) {
        try {
            return body.call();
        } catch (Exception e) {
            throw sneaky(e);
        }
    }

    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneaky(Throwable e) throws E {
        throw (E) e;
    }
}
