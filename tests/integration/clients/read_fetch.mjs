// POSTs argv[3] to argv[2]; says "complete BYTES", or "failed" and why.
const [url, body] = process.argv.slice(2);
try {
    const reply = await fetch(url, {
        method: "POST", body, headers: { "Content-Type": "application/json" },
    });
    let bytes = 0;
    for await (const part of reply.body) {
        bytes += part.length;
    }
    console.log(`complete ${bytes}`);
} catch (error) {
    console.log(`failed ${error.message}`);
}
