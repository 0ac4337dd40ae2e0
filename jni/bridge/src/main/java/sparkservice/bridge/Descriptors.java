package sparkservice.bridge;

import java.io.FileDescriptor;
import java.lang.reflect.Field;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** What the kernel says about an open descriptor: {@code /proc/self/fd} (proc(5)). */
final class Descriptors {
    // Both are open to us: Spark needs the same --add-opens (jni/jvm.options).
    private static final Field NUMBER = field(FileDescriptor.class, "fd");
    private static final String CHANNEL = "sun.nio.ch.FileChannelImpl";
    private static final Field OF_CHANNEL = field(channelClass(), "fd");

    private Descriptors() {
    }

    private static Class<?> channelClass() {
        try {
            return Class.forName(CHANNEL);
        } catch (ClassNotFoundException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static Field field(Class<?> type, String name) {
        try {
            Field field = type.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static FileDescriptor of(FileChannel channel) {
        return (FileDescriptor) Unchecked.call(() -> OF_CHANNEL.get(channel));
    }

    /** A name of the very file that is open, whatever its path leads to by now. */
    static Path path(FileDescriptor descriptor) {
        return Path.of("/proc/self/fd", Integer.toString(Unchecked.call(() -> NUMBER.getInt(descriptor))));
    }
}
