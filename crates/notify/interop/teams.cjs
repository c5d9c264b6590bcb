// Microsoft's own reader of Adaptive Cards reads the cards as version 1.4, objects to nothing, and writes the same cards.
const assert = require("node:assert");
const fs = require("node:fs");

global.window = global.self = global;
const { AdaptiveCard, SerializationContext, Versions } = require("adaptivecards/dist/adaptivecards.js");

const messages = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
for (const message of messages) {
    for (const { contentType, content } of message.attachments) {
        assert.equal(contentType, "application/vnd.microsoft.card.adaptive");
        // `msteams` is for Teams alone.
        const { msteams, ...sent } = content;
        const context = new SerializationContext(Versions.v1_4);
        const card = new AdaptiveCard();
        card.parse(sent, context);
        const objections = Array.from({ length: context.eventCount }, (_, number) => context.getEventAt(number).message);
        assert.deepEqual(objections, []);
        assert.deepEqual(card.validateProperties().validationEvents, []);
        assert.deepEqual(lowered(card.toJSON(context)), lowered(sent));
    }
}
console.log(`interop: adaptivecards read ${messages.length} messages`);

// Names of styles are written in either case.
function lowered(value) {
    if (Array.isArray(value)) return value.map(lowered);
    if (value === null || typeof value !== "object") return value;
    const names = new Set(["weight", "size", "color", "spacing", "style"]);
    const entries = Object.entries(value).map(([name, entry]) => [name, names.has(name) ? String(entry).toLowerCase() : lowered(entry)]);
    return Object.fromEntries(entries);
}
