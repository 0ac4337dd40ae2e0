package sparkservice.bridge;

/** What the steps of a query know of its cancellation. */
interface Cancellation {
    /** Throws {@code cancelled} once the query is; called between steps. */
    void check() throws BridgeException;

    /** What else a cancel has to stop, from another thread, perhaps several times. */
    void onCancel(Runnable hook);
}
