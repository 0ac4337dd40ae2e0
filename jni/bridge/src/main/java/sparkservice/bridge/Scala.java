package sparkservice.bridge;

import java.util.List;
import java.util.Map;
import scala.Tuple2;
import scala.collection.JavaConverters;

/** Between Java's and Scala's collections, alike on Scala 2.12 and 2.13. */
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
}
