package sparkservice.bridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.Success$;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.StageInfo;
import sparkservice.bridge.scheduler.ReservingScheduler;

/**
 * How far each query in flight is, in stages and tasks, from the events of Spark's listener bus.
 *
 * <p>Not from Spark's status store, which keeps a fixed number of jobs of all queries together and
 * would forget the first ones of a long query. Here a stage is kept while its job runs, then only
 * counted; what belongs to no query in flight isn't kept at all.
 *
 * <p>A job names all its ancestor stages, those too whose output is there already. Such a stage is
 * skipped: known as soon as a stage that reads from it is submitted, and not counted from then on.
 */
final class QueryProgress extends SparkListener {

    /** Totals grow while adaptive execution adds jobs. */
    record Counts(int stagesDone, int stages, int tasksDone, int tasks) {
        static final Counts NONE = new Counts(0, 0, 0, 0);

        Counts plus(Counts other) {
            return new Counts(stagesDone + other.stagesDone, stages + other.stages,
                    tasksDone + other.tasksDone, tasks + other.tasks);
        }
    }

    private enum State { WAITING, SKIPPED, RUNNING, DONE }

    private static final class Stage {
        final List<Integer> parents = new ArrayList<>();
        State state = State.WAITING;
        int tasks;
        int tasksDone;

        Counts counts() {
            return state == State.SKIPPED ? Counts.NONE
                    : new Counts(state == State.DONE ? 1 : 0, 1, tasksDone, tasks);
        }
    }

    /** One query: its live stages, and the sum of those whose job is over. */
    private static final class Tally {
        final Map<Integer, Stage> stages = new HashMap<>();
        Counts ended = Counts.NONE;
    }

    private record Job(Tally tally, List<Integer> stageIds) {
    }

    private final Map<String, Tally> queries = new HashMap<>();
    private final Map<Integer, Job> jobs = new HashMap<>();
    private final Map<Integer, Tally> byStage = new HashMap<>();

    /** From here on the jobs of that tag are counted. */
    synchronized void begin(String tag) {
        queries.put(tag, new Tally());
    }

    /** The query is over; events of it that are still on their way count nowhere. */
    synchronized void end(String tag) {
        Tally tally = queries.remove(tag);
        if (tally != null) {
            jobs.values().removeIf(job -> job.tally() == tally);
            tally.stages.keySet().forEach(byStage::remove);
        }
    }

    /** All queries in flight by their tags, those without a job too. */
    synchronized Map<String, Counts> all() {
        Map<String, Counts> all = new HashMap<>();
        queries.forEach((tag, tally) -> all.put(tag, tally.stages.values().stream()
                .map(Stage::counts).reduce(tally.ended, Counts::plus)));
        return all;
    }

    /** Jobs and stages kept now: none when no query is in flight. */
    synchronized int kept() {
        return jobs.size() + byStage.size();
    }

    @Override
    public synchronized void onJobStart(SparkListenerJobStart start) {
        String tag = start.properties() == null ? null
                : start.properties().getProperty(ReservingScheduler.QUERY_PROPERTY);
        Tally tally = tag == null ? null : queries.get(tag);
        if (tally == null) {
            return;
        }
        Job job = new Job(tally, new ArrayList<>());
        for (StageInfo info : Scala.list(start.stageInfos())) {
            job.stageIds().add(info.stageId());
            byStage.put(info.stageId(), tally);
            Stage stage = tally.stages.computeIfAbsent(info.stageId(), id -> new Stage());
            stage.tasks = info.numTasks();
            for (Object parent : Scala.list(info.parentIds())) {
                stage.parents.add((Integer) parent);
            }
        }
        jobs.put(start.jobId(), job);
    }

    @Override
    public synchronized void onStageSubmitted(SparkListenerStageSubmitted submitted) {
        Tally tally = byStage.get(submitted.stageInfo().stageId());
        if (tally != null) {
            Stage stage = tally.stages.get(submitted.stageInfo().stageId());
            stage.state = State.RUNNING;
            // The partitions that are asked for; of a second attempt, those that are missing.
            stage.tasks = stage.tasksDone + submitted.stageInfo().numTasks();
            skip(tally, stage.parents);
        }
    }

    private static void skip(Tally tally, List<Integer> stageIds) {
        for (int id : stageIds) {
            Stage stage = tally.stages.get(id);
            if (stage != null && stage.state == State.WAITING) {
                stage.state = State.SKIPPED;
                skip(tally, stage.parents);
            }
        }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
        Tally tally = byStage.get(end.stageId());
        if (tally != null && end.reason() == Success$.MODULE$) {
            tally.stages.get(end.stageId()).tasksDone++;
        }
    }

    @Override
    public synchronized void onStageCompleted(SparkListenerStageCompleted completed) {
        Tally tally = byStage.get(completed.stageInfo().stageId());
        if (tally != null && completed.stageInfo().failureReason().isEmpty()) {
            tally.stages.get(completed.stageInfo().stageId()).state = State.DONE;
        }
    }

    @Override
    public synchronized void onJobEnd(SparkListenerJobEnd end) {
        Job job = jobs.remove(end.jobId());
        if (job == null) {
            return;
        }
        for (int id : job.stageIds()) {
            byStage.remove(id);
            Stage stage = job.tally().stages.remove(id);
            if (stage != null && stage.state != State.WAITING) {
                job.tally().ended = job.tally().ended.plus(stage.counts());
            }
        }
    }
}
