#!/usr/bin/env node
/*
 * A till in JavaScript, through koffi: node till.mjs SERVER STORE TILL OUTBOX
 *
 * It takes one operation a line, as the registers beside it do (register.h):
 *
 *     sell CARD RECEIPT AMOUNT
 *     redeem CARD POINTS
 *     balance CARD
 *     close
 *
 * libpunkt is found as every shared library is; PUNKT_LIBRARY names another file.
 */
import koffi from 'koffi';
import process from 'node:process';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const [DONE, QUEUED] = [0, 2]; // enum punkt_call
const PURCHASE = 32; // enum punkt_operation
const DECIMALS = 2; // of an amount in euros
const PAPER_WIDTH = 40; // columns of the paper
const LOOK_MS = 20; // Node waits for no descriptor that it has not opened, so the handle is looked after this often

// ------------------------------------------------------------------- the structs that are used, as punkt.h has them

export const structs = {};

/* A koffi struct from C's own words. Pointers to what is not declared here, and pointers to pointers, are addresses. */
function struct(name, declarations) {
    const members = {};
    const declaration = /(?:const )?(struct |enum )?(\w+) ?(\*(?:const \*)?)?(\w+)(?:\[(\d+)\])?;/g;
    for (const [, keyword, base, stars, member, count] of declarations.matchAll(declaration)) {
        let type = keyword === 'enum ' ? 'int' : base;
        if (stars)
            type = stars === '*' && (base === 'char' || base.endsWith('_fn') || base in structs) ? `${base} *` : 'void *';
        members[member] = count ? `${type} [${count}]` : type;
    }
    structs[name] = koffi.struct(name, members);
    return structs[name];
}

koffi.proto('void punkt_done_fn(void *punkt, const void *answer, intptr_t ctx)');
koffi.proto('void punkt_alarm_fn(void *punkt, int alarm, const char *text, void *ctx)');

const Answer = struct('punkt_answer', `
    size_t size; enum punkt_call call; uint32_t code; const char *name; const char *text; const char *detail;
    uint32_t operation; bool replayed; bool retryable; int64_t needed; int64_t available; uint64_t epoch; uint64_t number;
    uint64_t queued; uint64_t reserved[5];`);
const Options = struct('punkt_options', `
    size_t size; const char *server; uint32_t timeout_ms; uint32_t window; const char *software; uint64_t epoch;
    uint64_t next_number; uint8_t journal_id[16]; uint64_t term; const char *outbox; const char *store; const char *till;
    uint32_t outbox_max; uint32_t outbox_days; punkt_alarm_fn *on_alarm; punkt_done_fn *on_settled; void *ctx;
    uint32_t receipt_width; const char *language; void *resize; void *resize_ctx; const char *identity;`);
const OutboxInfo = struct('punkt_outbox_info', `
    size_t size; bool present; bool failed; uint64_t queued; uint64_t live; uint64_t dead; uint64_t kept; uint64_t max;
    int64_t oldest_us; uint64_t bytes;`);
const Line = struct('punkt_line', `
    size_t size; const char *code; int64_t amount; uint64_t quantity; const char *category; uint32_t kind; int64_t tax;`);
const PurchaseRequest = struct('punkt_purchase_request', `
    size_t size; uint32_t flags; uint32_t timeout_ms; const char *card; int64_t amount; int64_t time_us;
    const char *store; const char *till; const char *receipt; int32_t business_date; const char *operator_;
    const struct punkt_line *lines; size_t line_count; const struct punkt_tender *tenders; size_t tender_count;
    const char *const *coupons; size_t coupon_count; const struct punkt_wish *wishes; size_t wish_count;
    const char *pin;`);
const PurchaseAnswer = struct('punkt_purchase_answer', `
    struct punkt_answer head; uint64_t position; int64_t earned; int64_t available; int64_t pending; int64_t debt;
    bool server_time_used; bool in_suspense; bool fell_short; bool old_period; int64_t redeemed; int64_t paid;
    const char *tier; const struct punkt_spent *const *spent; size_t spent_count; const char *const *text;
    size_t text_count;`);
const RedeemRequest = struct('punkt_redeem_request', `
    size_t size; uint32_t flags; uint32_t timeout_ms; const char *card; int64_t points; int64_t time_us;
    const char *store; const char *till; const char *operator_; const char *reward; uint32_t quantity; int64_t bill;
    const char *sale_store; const char *sale_till; int32_t sale_date; const char *sale_receipt; uint64_t sale_position;
    const char *pin; int32_t business_date;`);
const RedeemAnswer = struct('punkt_redeem_answer', `
    struct punkt_answer head; uint64_t position; int64_t redeemed; int64_t available; int64_t worth; int64_t stamps;
    int64_t shortfall; const char *reward; const char *voucher; const char *const *text; size_t text_count;`);
const CardShowRequest = struct('punkt_card_show_request', `
    size_t size; uint32_t flags; uint32_t timeout_ms; const char *card; int64_t at_us; bool with_lots;`);
const CardShowAnswer = struct('punkt_card_show_answer', `
    struct punkt_answer head; uint64_t account; uint32_t status; int64_t available; int64_t pending; int64_t held;
    int64_t debt; int64_t lifetime; int32_t next_expiry_day; int64_t next_expiry_points; uint32_t cards; uint32_t pin;
    const char *tier; int32_t tier_through; bool account_closed; bool beside_suspense; int64_t last_purchase_us;
    uint64_t last_event; const char *const *tags; size_t tag_count; const struct punkt_purse *const *purses;
    size_t purse_count; const struct punkt_open_hold *const *holds; size_t hold_count; const char *const *activated;
    size_t activated_count; const struct punkt_lot *const *lots; size_t lot_count;`);
const CloseDayRequest = struct('punkt_close_day_request', `
    size_t size; uint32_t flags; uint32_t timeout_ms; int32_t business_date; const char *operator_;`);
const CloseDayAnswer = struct('punkt_close_day_answer', `
    struct punkt_answer head; enum punkt_close_state state; uint64_t position; uint64_t close; int32_t business_date;
    int64_t time_us; uint8_t journal_head[32]; uint64_t journal_position; uint64_t queued; uint64_t dead; uint64_t late;
    uint64_t resent; const struct punkt_day_figures *here; const struct punkt_day_figures *there;
    const struct punkt_day_difference *const *differences; size_t difference_count; const char *store;
    const char *till;`);

// ------------------------------------------------------------------------------------------------- the calls, too

const prototypes = `
int punkt_new(const punkt_options *options, _Out_ void **out)
void punkt_free(void *punkt)
const char *punkt_trouble(void *punkt)
int punkt_link_state(void *punkt)
const char *punkt_link_state_name(int state)
void punkt_outbox_info(void *punkt, _Inout_ punkt_outbox_info *out)
int punkt_submit_purchase(void *punkt, const punkt_purchase_request *request, punkt_done_fn *done, intptr_t ctx)
int punkt_submit_redeem(void *punkt, const punkt_redeem_request *request, punkt_done_fn *done, intptr_t ctx)
int punkt_submit_cancel(void *punkt, uint64_t epoch, uint64_t number, punkt_done_fn *done, intptr_t ctx)
int punkt_submit_card_show(void *punkt, const punkt_card_show_request *request, punkt_done_fn *done, intptr_t ctx)
int punkt_submit_close_day(void *punkt, const punkt_close_day_request *request, punkt_done_fn *done, intptr_t ctx)
const char *punkt_close_state_name(int state)
size_t punkt_close_report(void *punkt, const void *answer, unsigned int width, void *out_text, size_t capacity)
int punkt_timeout_ms(void *punkt)
unsigned int punkt_process(void *punkt)
bool punkt_decimal_parse(const char *text, unsigned int decimals, _Out_ int64_t *out)
`;

export function load() {
    const library = koffi.load(process.env.PUNKT_LIBRARY ?? 'libpunkt.so.0');
    const lines = prototypes.trim().split('\n');
    return Object.fromEntries(lines.map((line) => [line.match(/\w+(?=\()/)[0], library.func(line)]));
}

/* A request or options: its size set. */
export const sized = (type, members) => ({ size: koffi.sizeof(type), ...members });

/* The lines that an answer brings for the receipt: an array of pointers of the handle's, copied here. */
export const texts = ({ text, text_count }) => (text_count > 0 ? koffi.decode(text, koffi.array('const char *', text_count)) : []);

// ------------------------------------------------------------------------------------------------------- the till

/* Why something was not done, as people should read it. */
const other = (what, { name, text, detail }) => console.log([what, name, text, detail].filter(Boolean).join(': '));

class Till {
    constructor(punkt, server, store, till, outbox) {
        this.punkt = punkt;
        this.waiting = new Map(); // by ctx: what to do with the answer
        this.last = 0;
        this.shown = '';
        // Registered, because the library calls them long after the call that took them.
        this.callbacks = {
            done: koffi.register((_handle, head, ctx) => this.done(head, ctx), 'punkt_done_fn *'),
            settled: koffi.register((_handle, head) => this.settled(head), 'punkt_done_fn *'),
            alarm: koffi.register((_handle, alarm, text) => console.log(`alarm ${alarm}: ${text}`), 'punkt_alarm_fn *'),
        };
        const handle = [null];
        const options = sized(Options, {
            server, store, till, outbox, software: 'till.mjs', on_alarm: this.callbacks.alarm,
            on_settled: this.callbacks.settled, receipt_width: PAPER_WIDTH,
        });
        if (punkt.punkt_new(options, handle) !== DONE)
            throw new Error("no handle: is the server's address right, and does nobody else use the outbox?");
        [this.handle] = handle;
    }

    free() {
        this.punkt.punkt_free(this.handle);
        for (const callback of Object.values(this.callbacks))
            koffi.unregister(callback);
    }

    /* Submits, and promises what read makes of the answer, while that is still there. */
    submit(call, args, read) {
        return new Promise((resolve, reject) => {
            const ctx = ++this.last;
            this.waiting.set(ctx, (head) => resolve(read(head)));
            if (this.punkt[call](this.handle, ...args, this.callbacks.done, ctx) === DONE)
                return;
            this.waiting.delete(ctx);
            reject(new Error(this.punkt.punkt_trouble(this.handle)));
        });
    }

    done(head, ctx) {
        const take = this.waiting.get(Number(ctx));
        this.waiting.delete(Number(ctx));
        take(head);
    }

    /* A queued operation has its answer. */
    settled(head) {
        const { call, operation, ...rest } = koffi.decode(head, Answer);
        if (call === DONE && operation === PURCHASE)
            console.log(`settled: earned ${koffi.decode(head, PurchaseAnswer).earned}`);
        else
            other('settled', rest);
    }

    decimal(text, decimals) {
        const value = [0];
        if (!this.punkt.punkt_decimal_parse(text, decimals, value))
            throw new Error(`no number: ${text}`);
        return value[0];
    }

    async sell(card, receipt, amount) {
        const goods = sized(Line, { code: 'GOODS', amount: this.decimal(amount, DECIMALS) });
        const sale = sized(PurchaseRequest, { card, receipt, amount: goods.amount, lines: [goods], line_count: 1 });
        const answer = await this.submit('punkt_submit_purchase', [sale], (head) => {
            const read = koffi.decode(head, PurchaseAnswer);
            return { ...read, lines: texts(read) };
        });
        if (answer.head.call === DONE)
            console.log([`${receipt}: earned ${answer.earned}, available ${answer.available}`, ...answer.lines].join('\n'));
        else if (answer.head.call === QUEUED) // it will be booked: print that points follow
            console.log(`${receipt}: queued`);
        else // without points: print that
            other(receipt, answer.head);
    }

    /* Points are spent on DONE only; if that cannot be known now it is undone. */
    async redeem(card, points) {
        const request = sized(RedeemRequest, { card, points: this.decimal(points, 0) });
        const answer = await this.submit('punkt_submit_redeem', [request], (head) => koffi.decode(head, RedeemAnswer));
        const { call, epoch, number } = answer.head;
        if (call === DONE) {
            console.log(`redeem: ${answer.redeemed} points, ${(answer.worth / 10 ** DECIMALS).toFixed(DECIMALS)} off`);
            return;
        }
        if (call !== QUEUED) {
            other('redeem', answer.head);
            return;
        }
        const undone = await this.submit('punkt_submit_cancel', [epoch, number], (head) => koffi.decode(head, Answer));
        if (undone.call === DONE || undone.call === QUEUED)
            console.log('redeem: cancelled');
        else
            other('redeem', undone);
    }

    async balance(card) {
        const request = sized(CardShowRequest, { card });
        const answer = await this.submit('punkt_submit_card_show', [request], (head) => koffi.decode(head, CardShowAnswer));
        if (answer.head.call === DONE)
            console.log(`${card}: available ${answer.available}, queued ${answer.head.queued}`);
        else
            other(card, answer.head);
    }

    async close() {
        const { head, state, report } = await this.submit('punkt_submit_close_day', [sized(CloseDayRequest)], (answer) => {
            const paper = Buffer.alloc(8192);
            const closed = koffi.decode(answer, CloseDayAnswer);
            if (closed.head.call === DONE)
                this.punkt.punkt_close_report(this.handle, answer, PAPER_WIDTH, paper, paper.length);
            return { ...closed, report: paper.toString('utf8', 0, paper.indexOf(0)) };
        });
        if (head.call === DONE)
            console.log(`close: ${this.punkt.punkt_close_state_name(state)}\n${report.trimEnd()}`);
        else
            other('close', head);
    }

    showLink() {
        const outbox = sized(OutboxInfo);
        this.punkt.punkt_outbox_info(this.handle, outbox);
        const now = `link ${this.punkt.punkt_link_state_name(this.punkt.punkt_link_state(this.handle))}, queued ${outbox.queued}`;
        if (now !== this.shown)
            console.log(now);
        this.shown = now;
    }

    async do(line) {
        const [word, ...words] = line.trim().split(/\s+/);
        const acts = { sell: 3, redeem: 2, balance: 1, close: 0 };
        try {
            if (acts[word] !== words.length)
                throw new Error(line);
            await this[word](...words);
        } catch (mistake) {
            console.log(`not understood: ${mistake.message}`);
        }
    }

    /* Beside what is done the queue drains. */
    look() {
        this.punkt.punkt_process(this.handle);
        this.showLink();
        const due = this.punkt.punkt_timeout_ms(this.handle);
        this.timer = setTimeout(() => this.look(), due < 0 ? LOOK_MS : Math.min(due, LOOK_MS));
    }

    async run() {
        this.look();
        for await (const line of readline.createInterface({ input: process.stdin }))
            await this.do(line);
        clearTimeout(this.timer); // what is queued stays in the outbox, for the next time
    }
}

async function main(args) {
    if (args.length !== 4) {
        console.error('usage: node till.mjs SERVER STORE TILL OUTBOX');
        process.exit(2);
    }
    const till = new Till(load(), ...args);
    try {
        await till.run();
    } finally {
        till.free();
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
    await main(process.argv.slice(2));
