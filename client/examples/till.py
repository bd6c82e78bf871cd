#!/usr/bin/env python3
"""A till in Python, through ctypes alone: till.py SERVER STORE TILL OUTBOX

It takes one operation a line, as the registers beside it do (register.h):

    sell CARD RECEIPT AMOUNT
    redeem CARD POINTS
    balance CARD
    close

libpunkt is found as every shared library is; PUNKT_LIBRARY names another file.
"""

import ctypes as c
import os
import re
import select
import sys

DONE, REFUSED, QUEUED = 0, 1, 2  # enum punkt_call
PURCHASE = 32  # enum punkt_operation
WANT_READ, WANT_WRITE = 1, 2
DECIMALS = 2  # of an amount in euros
PAPER_WIDTH = 40  # columns of the paper

# ------------------------------------------------------------------ the structs that are used, as punkt.h has them

TYPES = {
    'bool': c.c_bool, 'size_t': c.c_size_t, 'int32_t': c.c_int32, 'uint32_t': c.c_uint32, 'int64_t': c.c_int64,
    'uint64_t': c.c_uint64, 'uint8_t': c.c_uint8,
}
STRUCTS = {}
DECLARATION = re.compile(r'(?:const )?(struct |enum )?(\w+) ?(\*(?:const \*)?)?(\w+)(?:\[(\d+)\])?;')


def struct(name, declarations):
    """A ctypes struct from C's own words: `const char *card; int64_t amount;`. Pointers to what is not declared here, and
    pointers to pointers, are addresses."""
    fields = []
    for keyword, base, stars, field, count in DECLARATION.findall(declarations):
        if stars == '*' and base == 'char':
            kind = c.c_char_p
        elif stars:
            kind = c.POINTER(STRUCTS[base]) if stars == '*' and base in STRUCTS else c.c_void_p
        elif keyword == 'enum ':
            kind = c.c_int
        else:
            kind = TYPES[base] if base in TYPES else STRUCTS[base]
        fields.append((field, kind * int(count) if count else kind))
    STRUCTS[name] = type(name, (c.Structure,), {'_fields_': fields})
    return STRUCTS[name]


Answer = struct('punkt_answer', '''
    size_t size; enum punkt_call call; uint32_t code; const char *name; const char *text; const char *detail;
    uint32_t operation; bool replayed; bool retryable; int64_t needed; int64_t available; uint64_t epoch; uint64_t number;
    uint64_t queued; uint64_t reserved[5];''')
Options = struct('punkt_options', '''
    size_t size; const char *server; uint32_t timeout_ms; uint32_t window; const char *software; uint64_t epoch;
    uint64_t next_number; uint8_t journal_id[16]; uint64_t term; const char *outbox; const char *store; const char *till;
    uint32_t outbox_max; uint32_t outbox_days; void *on_alarm; void *on_settled; void *ctx; uint32_t receipt_width;
    const char *language; void *resize; void *resize_ctx; const char *identity;''')
OutboxInfo = struct('punkt_outbox_info', '''
    size_t size; bool present; bool failed; uint64_t queued; uint64_t live; uint64_t dead; uint64_t kept; uint64_t max;
    int64_t oldest_us; uint64_t bytes;''')
Line = struct('punkt_line', '''
    size_t size; const char *code; int64_t amount; uint64_t quantity; const char *category; uint32_t kind; int64_t tax;''')
PurchaseRequest = struct('punkt_purchase_request', '''
    size_t size; uint32_t flags; uint32_t timeout_ms; const char *card; int64_t amount; int64_t time_us;
    const char *store; const char *till; const char *receipt; int32_t business_date; const char *operator_;
    const struct punkt_line *lines; size_t line_count; const struct punkt_tender *tenders; size_t tender_count;
    const char *const *coupons; size_t coupon_count; const struct punkt_wish *wishes; size_t wish_count;
    const char *pin;''')
PurchaseAnswer = struct('punkt_purchase_answer', '''
    struct punkt_answer head; uint64_t position; int64_t earned; int64_t available; int64_t pending; int64_t debt;
    bool server_time_used; bool in_suspense; bool fell_short; bool old_period; int64_t redeemed; int64_t paid;
    const char *tier; const struct punkt_spent *const *spent; size_t spent_count; const char *const *text;
    size_t text_count;''')
RedeemRequest = struct('punkt_redeem_request', '''
    size_t size; uint32_t flags; uint32_t timeout_ms; const char *card; int64_t points; int64_t time_us;
    const char *store; const char *till; const char *operator_; const char *reward; uint32_t quantity; int64_t bill;
    const char *sale_store; const char *sale_till; int32_t sale_date; const char *sale_receipt; uint64_t sale_position;
    const char *pin; int32_t business_date;''')
RedeemAnswer = struct('punkt_redeem_answer', '''
    struct punkt_answer head; uint64_t position; int64_t redeemed; int64_t available; int64_t worth; int64_t stamps;
    int64_t shortfall; const char *reward; const char *voucher; const char *const *text; size_t text_count;''')
ReversalAnswer = struct('punkt_reversal_answer', '''
    struct punkt_answer head; uint64_t position; uint32_t outcome; int64_t taken; int64_t given_back; int64_t available;
    int64_t debt; int64_t amount;''')
CardShowRequest = struct('punkt_card_show_request', '''
    size_t size; uint32_t flags; uint32_t timeout_ms; const char *card; int64_t at_us; bool with_lots;''')
CardShowAnswer = struct('punkt_card_show_answer', '''
    struct punkt_answer head; uint64_t account; uint32_t status; int64_t available; int64_t pending; int64_t held;
    int64_t debt; int64_t lifetime; int32_t next_expiry_day; int64_t next_expiry_points; uint32_t cards; uint32_t pin;
    const char *tier; int32_t tier_through; bool account_closed; bool beside_suspense; int64_t last_purchase_us;
    uint64_t last_event; const char *const *tags; size_t tag_count; const struct punkt_purse *const *purses;
    size_t purse_count; const struct punkt_open_hold *const *holds; size_t hold_count; const char *const *activated;
    size_t activated_count; const struct punkt_lot *const *lots; size_t lot_count;''')
CloseDayRequest = struct('punkt_close_day_request', '''
    size_t size; uint32_t flags; uint32_t timeout_ms; int32_t business_date; const char *operator_;''')
CloseDayAnswer = struct('punkt_close_day_answer', '''
    struct punkt_answer head; enum punkt_close_state state; uint64_t position; uint64_t close; int32_t business_date;
    int64_t time_us; uint8_t journal_head[32]; uint64_t journal_position; uint64_t queued; uint64_t dead; uint64_t late;
    uint64_t resent; const struct punkt_day_figures *here; const struct punkt_day_figures *there;
    const struct punkt_day_difference *const *differences; size_t difference_count; const char *store;
    const char *till;''')

# ------------------------------------------------------------------------------------------------ the calls, too

Handle = c.c_void_p
DoneFn = c.CFUNCTYPE(None, Handle, c.POINTER(Answer), c.c_void_p)
AlarmFn = c.CFUNCTYPE(None, Handle, c.c_int, c.c_char_p, c.c_void_p)

CALLS = {  # without argtypes ctypes would cut addresses to 32 bits
    'punkt_new': (c.c_int, c.POINTER(Options), c.POINTER(Handle)),
    'punkt_free': (None, Handle),
    'punkt_trouble': (c.c_char_p, Handle),
    'punkt_link_state': (c.c_int, Handle),
    'punkt_link_state_name': (c.c_char_p, c.c_int),
    'punkt_outbox_info': (None, Handle, c.POINTER(OutboxInfo)),
    'punkt_submit_purchase': (c.c_int, Handle, c.POINTER(PurchaseRequest), DoneFn, c.c_void_p),
    'punkt_redeem': (c.c_int, Handle, c.POINTER(RedeemRequest), c.POINTER(RedeemAnswer)),
    'punkt_cancel': (c.c_int, Handle, c.c_uint64, c.c_uint64, c.c_uint32, c.POINTER(ReversalAnswer)),
    'punkt_card_show': (c.c_int, Handle, c.POINTER(CardShowRequest), c.POINTER(CardShowAnswer)),
    'punkt_close_day': (c.c_int, Handle, c.POINTER(CloseDayRequest), c.POINTER(CloseDayAnswer)),
    'punkt_close_state_name': (c.c_char_p, c.c_int),
    'punkt_close_report': (c.c_size_t, Handle, c.POINTER(CloseDayAnswer), c.c_uint, c.c_char_p, c.c_size_t),
    'punkt_unanswered': (c.c_uint, Handle),
    'punkt_fd': (c.c_int, Handle),
    'punkt_wanted': (c.c_int, Handle),
    'punkt_timeout_ms': (c.c_int, Handle),
    'punkt_process': (c.c_uint, Handle),
    'punkt_decimal_parse': (c.c_bool, c.c_char_p, c.c_uint, c.POINTER(c.c_int64)),
}


def load():
    library = c.CDLL(os.environ.get('PUNKT_LIBRARY', 'libpunkt.so.0'))
    for name, (result, *arguments) in CALLS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def sized(kind, /, **fields):
    """A request or options: its size set. An answer's size is in its head."""
    out = kind(**fields)
    (out.head if hasattr(out, 'head') else out).size = c.sizeof(kind)
    return out


def texts(answer):
    """The lines that an answer brings for the receipt: an array of pointers of the handle's, copied here."""
    return c.cast(answer.text, c.POINTER(c.c_char_p))[:answer.text_count]


# ------------------------------------------------------------------------------------------------------ the till


def say(*words):
    print(*words, flush=True)


def other(what, head):
    """Why something was not done, as people should read it. Texts are the handle's: copied before the next call."""
    say(': '.join([what] + [text.decode() for text in (head.name, head.text, head.detail) if text]))


class Till:
    def __init__(self, library, server, store, till, outbox):
        self.punkt = library
        self.sales = {}  # receipt numbers by ctx, until the sale is answered
        self.shown = ''
        # Callbacks are kept for as long as the library may call them; it does not know of Python's references.
        self.on_sold, self.on_settled = DoneFn(self.sold), DoneFn(self.settled)
        self.on_alarm = AlarmFn(lambda _handle, alarm, text, _ctx: say(f'alarm {alarm}: {text.decode()}'))
        options = sized(
            Options, server=server.encode(), store=store.encode(), till=till.encode(), outbox=outbox.encode(),
            software=b'till.py', on_alarm=c.cast(self.on_alarm, c.c_void_p),
            on_settled=c.cast(self.on_settled, c.c_void_p), receipt_width=PAPER_WIDTH)
        self.handle = Handle()
        if library.punkt_new(options, self.handle) != DONE:
            raise OSError("no handle: is the server's address right, and does nobody else use the outbox?")

    def free(self):
        self.punkt.punkt_free(self.handle)

    def decimal(self, text, decimals):
        value = c.c_int64()
        if not self.punkt.punkt_decimal_parse(text.encode(), decimals, value):
            raise ValueError(f'no number: {text}')
        return value.value

    def sell(self, card, receipt, amount):
        """Submits without waiting; sold() is called when it has ended."""
        goods = sized(Line, code=b'GOODS', amount=self.decimal(amount, DECIMALS))
        sale = sized(PurchaseRequest, card=card.encode(), receipt=receipt.encode(), amount=goods.amount,
                     lines=(Line * 1)(goods), line_count=1)
        key = max(self.sales, default=0) + 1
        if self.punkt.punkt_submit_purchase(self.handle, sale, self.on_sold, key) == DONE:
            self.sales[key] = receipt
        else:
            say(f'{receipt}: {self.punkt.punkt_trouble(self.handle).decode()}')

    def sold(self, _handle, head, key):
        receipt = self.sales.pop(key)
        answer = c.cast(head, c.POINTER(PurchaseAnswer)).contents
        if answer.head.call == DONE:
            say(f'{receipt}: earned {answer.earned}, available {answer.available}')
            for line in texts(answer):
                say(line.decode())
        elif answer.head.call == QUEUED:  # it will be booked: print that points follow
            say(f'{receipt}: queued')
        else:  # without points: print that
            other(receipt, answer.head)

    def settled(self, _handle, head, _ctx):
        """A queued operation has its answer."""
        if head.contents.call == DONE and head.contents.operation == PURCHASE:
            say(f'settled: earned {c.cast(head, c.POINTER(PurchaseAnswer)).contents.earned}')
        else:
            other('settled', head.contents)

    def redeem(self, card, points):
        """Waits, 1.5 s at most. Points are spent on DONE only; if that cannot be known now it is undone."""
        answer, undone = sized(RedeemAnswer), sized(ReversalAnswer)
        request = sized(RedeemRequest, card=card.encode(), points=self.decimal(points, 0))
        call = self.punkt.punkt_redeem(self.handle, request, answer)
        if call == DONE:
            say(f'redeem: {answer.redeemed} points, {answer.worth / 10**DECIMALS:.{DECIMALS}f} off')
        elif call != QUEUED:
            other('redeem', answer.head)
        elif self.punkt.punkt_cancel(self.handle, answer.head.epoch, answer.head.number, 0, undone) in (DONE, QUEUED):
            say('redeem: cancelled')
        else:
            other('redeem', undone.head)

    def balance(self, card):
        answer = sized(CardShowAnswer)
        if self.punkt.punkt_card_show(self.handle, sized(CardShowRequest, card=card.encode()), answer) == DONE:
            say(f'{card}: available {answer.available}, queued {answer.head.queued}')
        else:
            other(card, answer.head)

    def close(self):
        answer, report = sized(CloseDayAnswer), c.create_string_buffer(8192)
        if self.punkt.punkt_close_day(self.handle, sized(CloseDayRequest), answer) == DONE:
            say(f'close: {self.punkt.punkt_close_state_name(answer.state).decode()}')
            self.punkt.punkt_close_report(self.handle, answer, PAPER_WIDTH, report, len(report))
            say(report.value.decode().rstrip('\n'))
        else:
            other('close', answer.head)

    def show_link(self):
        outbox = sized(OutboxInfo)
        self.punkt.punkt_outbox_info(self.handle, outbox)
        link = self.punkt.punkt_link_state_name(self.punkt.punkt_link_state(self.handle)).decode()
        now = f'link {link}, queued {outbox.queued}'
        if now != self.shown:
            say(now)
        self.shown = now

    def do(self, line):
        acts = {('sell', 4): self.sell, ('redeem', 3): self.redeem, ('balance', 2): self.balance, ('close', 1): self.close}
        words = line.split()
        try:
            acts[words[0] if words else '', len(words)](*words[1:])
        except (KeyError, ValueError) as mistake:
            say(f'not understood: {mistake}')

    def wait(self, read_lines):
        """One turn of the loop; true if there is a line to read. Beside it the queue drains."""
        self.show_link()
        poll = select.poll()
        fd, wanted = self.punkt.punkt_fd(self.handle), self.punkt.punkt_wanted(self.handle)
        if fd >= 0:
            poll.register(fd, (select.POLLIN if wanted & WANT_READ else 0) | (select.POLLOUT if wanted & WANT_WRITE else 0))
        if read_lines:
            poll.register(sys.stdin, select.POLLIN)
        ready = poll.poll(self.punkt.punkt_timeout_ms(self.handle))
        self.punkt.punkt_process(self.handle)
        return read_lines and any(at == sys.stdin.fileno() for at, _ in ready)

    def run(self):
        lines = open(sys.stdin.fileno(), 'rb', buffering=0, closefd=False)  # what is read ahead poll would not see
        while True:
            if self.wait(read_lines=self.punkt.punkt_unanswered(self.handle) == 0):
                line = lines.readline()
                if not line:
                    return  # what is queued stays in the outbox, for the next time
                self.do(line.decode())


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.splitlines()[0])
    till = Till(load(), *sys.argv[1:])
    try:
        till.run()
    finally:
        till.free()


if __name__ == '__main__':
    main()
