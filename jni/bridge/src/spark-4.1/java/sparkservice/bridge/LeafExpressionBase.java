package sparkservice.bridge;

import org.apache.spark.sql.catalyst.expressions.Expression;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/**
 * A leaf expression that Java can extend: javac can't reconcile the signatures of Spark's own
 * LeafExpression, and they differ between Scala 2.12 and 2.13.
 */
abstract class LeafExpressionBase extends Expression implements java.io.Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Seq<Expression> children() {
        return Scala.seq(java.util.List.<Expression>of());
    }

    @Override
    public Expression withNewChildrenInternal(IndexedSeq<Expression> newChildren) {
        return this;
    }
}
