package sparkservice.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Like;
import org.apache.spark.sql.catalyst.expressions.RLike;
import org.apache.spark.sql.catalyst.expressions.RegExpExtract;
import org.apache.spark.sql.catalyst.expressions.RegExpExtractAll;
import org.apache.spark.sql.catalyst.expressions.RegExpInStr;
import org.apache.spark.sql.catalyst.expressions.RegExpReplace;
import org.apache.spark.sql.catalyst.expressions.StringSplit;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.catalyst.util.StringUtils;
import org.apache.spark.unsafe.types.UTF8String;

/** What Spark's functions of patterns answer, over text that a cancel can end. */
abstract class PatternMatch {
    private final int flags;
    private String lastText;
    private Pattern lastPattern;

    private PatternMatch(int flags) {
        this.flags = flags;
    }

    /** @param values the arguments, none of them null */
    abstract Object apply(Object[] values);

    /** Null for an expression that uses no pattern. */
    static PatternMatch of(Expression expression) {
        if (expression instanceof Like like) {
            return like(like);
        } else if (expression instanceof RLike) {
            return rlike(SparkLine.patternFlags(expression));
        } else if (expression instanceof RegExpReplace) {
            return replace(SparkLine.patternFlags(expression));
        } else if (expression instanceof RegExpExtract) {
            return extract(SparkLine.patternFlags(expression));
        } else if (expression instanceof RegExpExtractAll) {
            return extractAll(SparkLine.patternFlags(expression));
        } else if (expression instanceof RegExpInStr) {
            return position(SparkLine.patternFlags(expression));
        } else if (expression instanceof StringSplit) {
            return split(SparkLine.patternFlags(expression));
        }
        return null;
    }

    /** Compiled once for as long as it stays the same. */
    final Pattern pattern(String text) {
        if (!text.equals(lastText)) {
            lastPattern = Pattern.compile(text, flags);
            lastText = text;
        }
        return lastPattern;
    }

    final Matcher matcher(Object text, Object pattern) {
        return pattern(pattern.toString()).matcher(new GuardedChars(text.toString()));
    }

    private static PatternMatch like(Like like) {
        return new PatternMatch(SparkLine.patternFlags(like)) {
            private Object lastLike;
            private String lastRegex;

            @Override
            Object apply(Object[] values) {
                if (!values[1].equals(lastLike)) {
                    lastRegex = StringUtils.escapeLikeRegex(values[1].toString(), like.escapeChar());
                    lastLike = ((UTF8String) values[1]).clone();
                }
                return matcher(values[0], lastRegex).matches();
            }
        };
    }

    private static PatternMatch rlike(int flags) {
        return new PatternMatch(flags) {
            @Override
            Object apply(Object[] values) {
                return matcher(values[0], values[1]).find(0);
            }
        };
    }

    private static PatternMatch replace(int flags) {
        return new PatternMatch(flags) {
            @Override
            Object apply(Object[] values) {
                int length = values[0].toString().length();
                int start = (Integer) values[3] - 1;
                if (start != 0 && start >= length) {
                    return values[0];
                }
                Matcher matcher = matcher(values[0], values[1]);
                matcher.region(start, length);
                StringBuilder result = new StringBuilder();
                String replacement = values[2].toString();
                while (matcher.find()) {
                    matcher.appendReplacement(result, replacement);
                }
                return UTF8String.fromString(matcher.appendTail(result).toString());
            }
        };
    }

    private static PatternMatch extract(int flags) {
        return new PatternMatch(flags) {
            @Override
            Object apply(Object[] values) {
                Matcher matcher = matcher(values[0], values[1]);
                if (!matcher.find()) {
                    return UTF8String.EMPTY_UTF8;
                }
                checkGroup(values, matcher);
                return group(matcher, (Integer) values[2]);
            }
        };
    }

    private static PatternMatch extractAll(int flags) {
        return new PatternMatch(flags) {
            @Override
            Object apply(Object[] values) {
                Matcher matcher = matcher(values[0], values[1]);
                List<Object> found = new ArrayList<>();
                while (matcher.find()) {
                    checkGroup(values, matcher);
                    found.add(group(matcher, (Integer) values[2]));
                }
                return new GenericArrayData(found.toArray());
            }
        };
    }

    /** The optional group of regexp_instr is ignored, as Spark does. */
    private static PatternMatch position(int flags) {
        return new PatternMatch(flags) {
            @Override
            Object apply(Object[] values) {
                Matcher matcher = matcher(values[0], values[1]);
                return matcher.find() ? matcher.toMatchResult().start() + 1 : 0;
            }
        };
    }

    private static PatternMatch split(int flags) {
        return new PatternMatch(flags) {
            @Override
            Object apply(Object[] values) {
                UTF8String text = (UTF8String) values[0];
                UTF8String separator = (UTF8String) values[1];
                int limit = (Integer) values[2];
                if (separator.numBytes() == 0) {
                    return new GenericArrayData((Object[]) text.split(separator, limit));
                }
                String[] parts = pattern(separator.toString())
                        .split(new GuardedChars(text.toString()), limit == 0 ? -1 : limit);
                Object[] result = new Object[parts.length];
                for (int i = 0; i < parts.length; i++) {
                    result[i] = UTF8String.fromString(parts[i]);
                }
                return new GenericArrayData(result);
            }
        };
    }

    /** A group that the pattern doesn't have is left to Spark, which has words for it. */
    private static void checkGroup(Object[] values, Matcher matcher) {
        int group = (Integer) values[2];
        if (group < 0 || group > matcher.groupCount()) {
            throw new IndexOutOfBoundsException(group);
        }
    }

    private static UTF8String group(Matcher matcher, int group) {
        String text = matcher.group(group);
        return text == null ? UTF8String.EMPTY_UTF8 : UTF8String.fromString(text);
    }
}
