package sparkservice.bridge;

import java.time.Duration;
import java.time.Period;
import java.time.temporal.ChronoUnit;
import org.apache.spark.unsafe.types.CalendarInterval;

/**
 * INTERVAL values as ISO 8601, as C writes Arrow's month-day-nano intervals
 * (service/calendar_text.c): "P1Y2M3DT4H5M6.789S", a sign in front when no part is positive. Spark
 * 3.5 has no Arrow type for them.
 */
final class CalendarIntervalText {
    private CalendarIntervalText() {
    }

    static String of(CalendarInterval value) {
        boolean negative = value.months <= 0 && value.days <= 0 && value.microseconds <= 0
                && (value.months | value.days | value.microseconds) != 0;
        return negative ? "-" + parts(Math.negateExact(value.months),
                Math.negateExact(value.days), Math.negateExact(value.microseconds))
                : parts(value.months, value.days, value.microseconds);
    }

    private static String parts(int months, int days, long micros) {
        Period date = Period.of(months / 12, months % 12, days);
        Duration time = Duration.of(micros, ChronoUnit.MICROS);
        if (date.isZero()) {
            return time.toString();
        }
        return time.isZero() ? date.toString() : date + time.toString().substring(1);
    }
}
