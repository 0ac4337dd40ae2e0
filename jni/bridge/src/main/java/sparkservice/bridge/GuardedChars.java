package sparkservice.bridge;

import java.util.concurrent.CancellationException;
import org.apache.spark.TaskContext;

/**
 * Text for java.util.regex that ends a match once its query is cancelled: the matcher looks at
 * nothing while it backtracks, but it reads every character through here.
 */
final class GuardedChars implements CharSequence {
    private static final int MASK = 0xfff;

    private final String text;
    private int reads;

    GuardedChars(String text) {
        this.text = text;
    }

    @Override
    public char charAt(int index) {
        if ((++reads & MASK) == 0) {
            checkAlive();
        }
        return text.charAt(index);
    }

    /** In a task its kill flag; while planning the interrupt that a cancel repeats. */
    private static void checkAlive() {
        TaskContext task = TaskContext.get();
        if (task != null) {
            task.killTaskIfInterrupted();
        } else if (Thread.currentThread().isInterrupted()) {
            throw (CancellationException) new CancellationException("while matching a pattern")
                    .initCause(BridgeException.cancelled());
        }
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        return text;
    }
}
