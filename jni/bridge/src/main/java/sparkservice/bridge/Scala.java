package sparkservice.bridge;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import scala.Function1;
import scala.PartialFunction;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.runtime.AbstractPartialFunction;

/** Between Java's and Scala's collections and functions, alike on Scala 2.12 and 2.13. */
@SuppressWarnings("deprecation") // JavaConverters is the one bridge that both versions have.
final class Scala {
    private Scala() {
    }

    static <T> scala.collection.immutable.List<T> seq(List<T> list) {
        return JavaConverters.asScalaBuffer(list).toList();
    }

    static <T> List<T> list(scala.collection.Seq<? extends T> seq) {
        return List.copyOf(JavaConverters.seqAsJavaList(seq));
    }

    static <T> Iterable<T> each(scala.collection.Iterable<T> all) {
        return JavaConverters.asJavaIterable(all);
    }

    static <K, V> scala.collection.immutable.Map<K, V> map(Map<K, V> map) {
        scala.collection.immutable.Map<K, V> result = scala.collection.immutable.Map$.MODULE$
                .<K, V>empty();
        for (Map.Entry<K, V> entry : map.entrySet()) {
            result = result.$plus(new Tuple2<>(entry.getKey(), entry.getValue()));
        }
        return result;
    }

    /** For a tree's transform methods: what becomes of each node of a kind; others stay. */
    static <T, N extends T> PartialFunction<T, T> onEach(Class<N> kind, Function<N, ? extends T> becomes) {
        return new AbstractPartialFunction<T, T>() {
            @Override
            public boolean isDefinedAt(T node) {
                return kind.isInstance(node);
            }

            @SuppressWarnings("unchecked")
            @Override
            public <A extends T, B> B applyOrElse(A node, Function1<A, B> other) {
                return kind.isInstance(node) ? (B) becomes.apply(kind.cast(node)) : other.apply(node);
            }
        };
    }
}
