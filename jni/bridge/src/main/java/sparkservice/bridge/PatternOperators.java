package sparkservice.bridge;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ILike;
import org.apache.spark.sql.catalyst.expressions.Like;
import org.apache.spark.sql.catalyst.expressions.LikeAll;
import org.apache.spark.sql.catalyst.expressions.LikeAny;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.NotLikeAll;
import org.apache.spark.sql.catalyst.expressions.NotLikeAny;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.RLike;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Function1;
import scala.runtime.AbstractPartialFunction;

/**
 * LIKE, ILIKE and RLIKE of a parsed statement into their guarded forms. The functions of the same
 * kind come guarded out of the registry ({@link GuardedFunctions}).
 */
final class PatternOperators extends AbstractPartialFunction<Expression, Expression> {
    private static final PatternOperators RULE = new PatternOperators();
    private static final char ESCAPE = '\\';

    private PatternOperators() {
    }

    static Expression guard(Expression expression) {
        return expression.transformUp(RULE);
    }

    @Override
    public boolean isDefinedAt(Expression part) {
        return part instanceof Like || part instanceof RLike || part instanceof ILike
                || part instanceof LikeAll || part instanceof LikeAny || part instanceof NotLikeAll
                || part instanceof NotLikeAny;
    }

    @SuppressWarnings("unchecked")
    @Override
    public <A extends Expression, B> B applyOrElse(A part, Function1<A, B> other) {
        return isDefinedAt(part) ? (B) guarded(part) : other.apply(part);
    }

    private static Expression guarded(Expression part) {
        if (part instanceof LikeAll all) {
            return each(all.child(), Scala.list(all.patterns()), true, false);
        } else if (part instanceof LikeAny any) {
            return each(any.child(), Scala.list(any.patterns()), false, false);
        } else if (part instanceof NotLikeAll all) {
            return each(all.child(), Scala.list(all.patterns()), true, true);
        } else if (part instanceof NotLikeAny any) {
            return each(any.child(), Scala.list(any.patterns()), false, true);
        }
        return new GuardedPattern(part);
    }

    private static Expression each(Expression text, List<UTF8String> patterns, boolean all,
            boolean not) {
        Expression result = null;
        for (UTF8String pattern : patterns) {
            Expression like = new GuardedPattern(
                    new Like(text, new Literal(pattern, DataTypes.StringType), ESCAPE));
            Expression next = not ? new Not(like) : like;
            result = result == null ? next : all ? new And(result, next) : new Or(result, next);
        }
        return result;
    }
}
