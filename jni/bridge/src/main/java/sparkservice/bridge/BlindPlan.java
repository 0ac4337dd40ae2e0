package sparkservice.bridge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.BinaryComparison;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.EqualNullSafe;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Lower;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.expressions.Upper;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.Count;
import org.apache.spark.sql.catalyst.expressions.aggregate.Max;
import org.apache.spark.sql.catalyst.expressions.aggregate.Min;
import org.apache.spark.sql.catalyst.expressions.aggregate.Sum;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.execution.LogicalRDD;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.StringType;
import scala.Function1;

/**
 * An analysed plan in which the literals of a {@link StatementShape} are placeholders: what the
 * optimizer makes of it is right whatever their values.
 *
 * <p>Only of statements for which the analyser hasn't looked at the values either, and which can't
 * fail once they run, as an error tells the place of what failed.
 */
final class BlindPlan {
    private static final Set<Class<?>> NODES = Set.of(Project.class, Filter.class, Sort.class,
            GlobalLimit.class, LocalLimit.class, SubqueryAlias.class, Aggregate.class,
            LogicalRDD.class, LogicalRelation.class);
    private static final Set<Class<?>> COMPARISONS = Set.of(EqualTo.class, EqualNullSafe.class,
            LessThan.class, LessThanOrEqual.class, GreaterThan.class, GreaterThanOrEqual.class);
    private static final Set<Class<?>> EXPRESSIONS = Set.of(AttributeReference.class, Alias.class,
            Literal.class, And.class, Or.class, Not.class, IsNull.class, IsNotNull.class,
            SortOrder.class, AggregateExpression.class, Count.class, Min.class, Max.class,
            Upper.class, Lower.class);
    /** Each holds every value of those before it, or the nearest one, and a cast to it never fails. */
    private static final List<DataType> WIDER = List.of(DataTypes.ByteType, DataTypes.ShortType,
            DataTypes.IntegerType, DataTypes.LongType, DataTypes.FloatType, DataTypes.DoubleType);
    /** Of a CHAR column: what it is compared with is padded, or not, by its length. */
    private static final String CHAR_TYPE = "__CHAR_VARCHAR_TYPE_STRING";

    private final Map<Literal, Integer> literals = new IdentityHashMap<>();
    private final List<StatementShape.Value> values;
    private int replaced;

    private BlindPlan(List<StatementShape.Value> values) {
        this.values = values;
    }

    /** Null: the values may matter. */
    static LogicalPlan of(LogicalPlan parsed, LogicalPlan analysed, StatementShape shape)
            throws BridgeException {
        BlindPlan blind = new BlindPlan(shape.values());
        if (!blind.findLiterals(parsed) || !isPlain(analysed)) {
            return null;
        }
        LogicalPlan plan = (LogicalPlan) analysed.transformUp(Scala.onEach(Filter.class, filter ->
                filter.copy(blind.replaced(filter.condition()), filter.child())));
        return blind.replaced == shape.values().size() && blind.isGone(plan) ? plan : null;
    }

    /** The plan with the values of a statement of the shape. */
    static LogicalPlan filled(LogicalPlan blind, StatementShape shape, boolean hidden) {
        return (LogicalPlan) blind.transformAllExpressions(filling(shape, hidden));
    }

    static scala.PartialFunction<Expression, Expression> filling(StatementShape shape,
            boolean hidden) {
        return Scala.onEach(Placeholder.class, place -> {
            Literal value = place.filled(shape.values().get(place.index()).literal());
            return hidden ? new HiddenLiteral(value) : value;
        });
    }

    /** Each of the shape's values must be the parser's, once. */
    private boolean findLiterals(LogicalPlan parsed) throws BridgeException {
        List<Literal> all = literalsOf(parsed);
        for (int i = 0; i < values.size(); i++) {
            StatementShape.Value value = values.get(i);
            List<Literal> found = all.stream().filter(literal -> overlaps(literal, value)).toList();
            if (found.size() != 1 || !found.get(0).equals(value.literal())
                    || !isAt(found.get(0).origin(), value)) {
                return false;
            }
            literals.put(found.get(0), i);
        }
        return true;
    }

    private static boolean isAt(Origin origin, StatementShape.Value value) {
        return origin.startIndex().contains(value.start())
                && origin.stopIndex().contains(value.stop());
    }

    private static boolean overlaps(Literal literal, StatementShape.Value value) {
        Origin origin = literal.origin();
        return origin.startIndex().isDefined() && origin.stopIndex().isDefined()
                && (int) origin.startIndex().get() <= value.stop()
                && (int) origin.stopIndex().get() >= value.start();
    }

    private static List<Literal> literalsOf(LogicalPlan plan) throws BridgeException {
        Set<Literal> found = Collections.newSetFromMap(new IdentityHashMap<>());
        PlanTree.walk(plan, new PlanTree.Visitor() {
            @Override
            public void plan(LogicalPlan node) {
                return;
            }

            @Override
            public void expression(Expression node) {
                if (node instanceof Literal literal) {
                    found.add(literal);
                }
            }
        });
        return new ArrayList<>(found);
    }

    private static boolean isPlain(LogicalPlan analysed) throws BridgeException {
        boolean[] isPlain = {true};
        PlanTree.walk(analysed, new PlanTree.Visitor() {
            @Override
            public void plan(LogicalPlan node) {
                isPlain[0] &= NODES.contains(node.getClass());
            }

            @Override
            public void expression(Expression node) {
                isPlain[0] &= BlindPlan.isPlain(node);
            }

            @Override
            public boolean replacements() {
                return true;
            }
        });
        return isPlain[0];
    }

    private static boolean isPlain(Expression node) {
        if (node instanceof Cast cast) {
            return neverFails(cast.child().dataType(), cast.dataType());
        } else if (node instanceof AttributeReference column) {
            return !column.metadata().contains(CHAR_TYPE);
        } else if (node instanceof Sum sum) {
            return sum.child().dataType().equals(DataTypes.DoubleType);
        }
        return EXPRESSIONS.contains(node.getClass()) || COMPARISONS.contains(node.getClass());
    }

    private static boolean neverFails(DataType from, DataType to) {
        if (from instanceof DecimalType narrow && to instanceof DecimalType wide) {
            return wide.scale() >= narrow.scale()
                    && wide.precision() - wide.scale() >= narrow.precision() - narrow.scale();
        } else if (from instanceof DecimalType) {
            return to.equals(DataTypes.DoubleType) || to.equals(DataTypes.FloatType);
        }
        return WIDER.contains(from) && WIDER.indexOf(from) <= WIDER.indexOf(to);
    }

    private Expression replaced(Expression condition) {
        return condition.transformUp(Scala.onEach(BinaryComparison.class, comparison -> {
            boolean comparesColumn = !comparison.references().isEmpty();
            return comparesColumn ? (Expression) comparison.mapChildren(
                    (Function1<Expression, Expression>) this::placeholder) : comparison;
        }));
    }

    private Expression placeholder(Expression side) {
        Cast cast = side instanceof Cast around ? around : null;
        Integer index = literals.get(cast == null ? side : cast.child());
        if (index == null || side.dataType() instanceof StringType
                && !side.dataType().equals(DataTypes.StringType)) {
            return side;
        }
        replaced++;
        return new Placeholder(index, side.dataType(), cast);
    }

    /** Whether nothing is left of the literals, nor anything made of them. */
    private boolean isGone(LogicalPlan plan) throws BridgeException {
        return literalsOf(plan).stream().noneMatch(literal ->
                values.stream().anyMatch(value -> overlaps(literal, value)));
    }
}
