package sparkservice.bridge;

import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.EmptyBlock$;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * Always true; ends the task when it was cancelled. Looked at once in sixteen evaluations, so that
 * it costs an increment; where rows are slow each time.
 *
 * <p>Spark looks for a cancel where rows enter a stage, a thousand at a time; the inner loop of a join
 * never comes by there (SPARK-33409), so that a cancelled cross join would go on for hours.
 */
public final class CancelCheck extends LeafExpressionBase {
    private static final long serialVersionUID = 1L;
    private static final int NOW_AND_THEN = 15;
    private static final int EACH_TIME = 0;

    private final boolean deterministic;
    private final int mask;
    private transient int evaluations;

    private CancelCheck(boolean deterministic, int mask) {
        this.deterministic = deterministic;
        this.mask = mask;
    }

    /** A part of a condition. */
    static CancelCheck term() {
        return new CancelCheck(true, NOW_AND_THEN);
    }

    /** The condition of a filter that stays where it is: nobody merges it with one that a scan takes. */
    static CancelCheck filter() {
        return new CancelCheck(false, NOW_AND_THEN);
    }

    /** The same for rows that take long themselves. */
    static CancelCheck filterOfSlowRows() {
        return new CancelCheck(false, EACH_TIME);
    }

    /** Called by generated code. True, or the task's end. */
    public static boolean alive() {
        TaskContext context = TaskContext.get();
        if (context != null) {
            context.killTaskIfInterrupted();
        }
        return true;
    }

    @Override
    public Object eval(InternalRow row) {
        if ((++evaluations & mask) == 0) {
            alive();
        }
        return Boolean.TRUE;
    }

    @Override
    public ExprCode doGenCode(CodegenContext context, ExprCode code) {
        String counter = context.addMutableState("int", "cancelCheck", name -> "", true, true);
        String text = "((++" + counter + " & " + mask + ") != 0 || "
                + CancelCheck.class.getName() + ".alive())";
        return new ExprCode(EmptyBlock$.MODULE$, FalseLiteral$.MODULE$,
                JavaCode.expression(text, DataTypes.BooleanType));
    }

    @Override
    public boolean deterministic() {
        return deterministic;
    }

    @Override
    public boolean nullable() {
        return false;
    }

    @Override
    public DataType dataType() {
        return DataTypes.BooleanType;
    }

    @Override
    public String toString() {
        return "not cancelled";
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof CancelCheck;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CancelCheck;
    }

    @Override
    public int hashCode() {
        return CancelCheck.class.hashCode();
    }

    @Override
    public int productArity() {
        return 0;
    }

    @Override
    public Object productElement(int index) {
        throw new IndexOutOfBoundsException(index);
    }
}
