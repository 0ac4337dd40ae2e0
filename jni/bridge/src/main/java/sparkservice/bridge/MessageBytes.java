package sparkservice.bridge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageSerializer;

/**
 * Arrow IPC messages in byte arrays. The JDK's channels over byte streams copy everything twice, in
 * pieces of 8 KiB, and a stream in memory grows and is copied once more.
 */
final class MessageBytes {
    private MessageBytes() {
    }

    /** The message of a record batch. */
    static byte[] of(ArrowRecordBatch batch) {
        try {
            Sink length = new Sink(null);
            MessageSerializer.serialize(new WriteChannel(length), batch);
            byte[] message = new byte[Math.toIntExact(length.written)];
            MessageSerializer.serialize(new WriteChannel(new Sink(ByteBuffer.wrap(message))), batch);
            return message;
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
    }

    static ReadChannel reader(byte[] message) {
        return new ReadChannel(new Source(ByteBuffer.wrap(message)));
    }

    private static final class Sink implements WritableByteChannel {
        private final ByteBuffer into; // null: only counts
        private long written;

        Sink(ByteBuffer into) {
            this.into = into;
        }

        @Override
        public int write(ByteBuffer bytes) {
            int length = bytes.remaining();
            if (into == null) {
                bytes.position(bytes.limit());
            } else {
                into.put(bytes);
            }
            written += length;
            return length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            // Nothing to give back.
        }
    }

    private static final class Source implements ReadableByteChannel {
        private final ByteBuffer from;

        Source(ByteBuffer from) {
            this.from = from;
        }

        @Override
        public int read(ByteBuffer into) {
            int length = Math.min(into.remaining(), from.remaining());
            if (length == 0) {
                return into.hasRemaining() ? -1 : 0;
            }
            into.put(from.slice(from.position(), length));
            from.position(from.position() + length);
            return length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            // Nothing to give back.
        }
    }
}
