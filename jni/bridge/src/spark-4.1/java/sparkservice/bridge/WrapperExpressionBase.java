package sparkservice.bridge;

import org.apache.spark.sql.catalyst.expressions.Expression;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** An expression around another one that Java can extend; see LeafExpressionBase. */
abstract class WrapperExpressionBase extends Expression implements java.io.Serializable {
    private static final long serialVersionUID = 1L;

    protected final Expression wrapped;

    WrapperExpressionBase(Expression wrapped) {
        this.wrapped = wrapped;
    }

    abstract Expression around(Expression other);

    @Override
    public Seq<Expression> children() {
        return Scala.seq(java.util.List.of(wrapped));
    }

    @Override
    public Expression withNewChildrenInternal(IndexedSeq<Expression> newChildren) {
        return around(newChildren.apply(0));
    }
}
