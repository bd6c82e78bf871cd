# What a ledger must hold after the receipts of a CSV file, worked out apart from Punkt: awk -f receipts.awk FILE
# prints "name value" a line, then "balance CARD POINTS" for every card. InvoiceNo, StockCode, Description,
# Quantity, InvoiceDate, UnitPrice, CustomerID, Country; lines without a customer are skipped; what begins with C
# is a return without a sale; a line is Quantity x UnitPrice in pence, half a penny away from zero, and a whole
# pound is a point. All numbers are whole ones, far below 2^53: a price is counted in tenths of a penny.

# Cuts a row into cells[1...]; quotes may hold commas, and quotes that are doubled.
function cut(row, n, i, c, quoted) {
    if (row !~ /"/) {
        n = split(row, cells, ",")
        return n
    }
    n = 1
    cells[n] = ""
    quoted = 0
    for (i = 1; i <= length(row); i++) {
        c = substr(row, i, 1)
        if (c == "\"" && quoted && substr(row, i + 1, 1) == "\"") {
            cells[n] = cells[n] c
            i++
        } else if (c == "\"") {
            quoted = !quoted
        } else if (c == "," && !quoted) {
            cells[++n] = ""
        } else {
            cells[n] = cells[n] c
        }
    }
    return n
}

function bad(why) {
    print FILENAME ":" FNR ": " why >"/dev/stderr"
    failed = 1
    exit 1
}

# "2.5" is 2500.
function tenths_of_pence(price, parts, sign, fraction) {
    if (price !~ /^-?[0-9]+(\.[0-9][0-9]?[0-9]?)?$/)
        bad("no price: " price)
    sign = sub(/^-/, "", price) ? -1 : 1
    parts[2] = ""
    split(price, parts, ".")
    fraction = substr(parts[2] "000", 1, 3)
    return sign * (parts[1] * 1000 + fraction)
}

function whole(dividend, divisor) {
    return (dividend - dividend % divisor) / divisor
}

function pence(tenths, size) {
    size = tenths < 0 ? -tenths : tenths
    size = whole(size + 5, 10)
    return tenths < 0 ? -size : size
}

{ sub(/\r$/, "") }

FNR == 1 { next }

{
    if (cut($0) != 8)
        bad("not 8 columns")
    if (cells[7] == "") {
        skipped++
        next
    }
    if (cells[4] !~ /^-?[0-9]+$/)
        bad("no quantity: " cells[4])
    lines++
    if (!(cells[1] in sum))
        card_of[cells[1]] = cells[7]
    else if (card_of[cells[1]] != cells[7])
        bad("a receipt of two cards")
    sum[cells[1]] += pence(cells[4] * tenths_of_pence(cells[6]))
}

END {
    if (failed)
        exit 1
    for (receipt in sum) {
        card = card_of[receipt]
        if (receipt ~ /^C/) {
            returns++
            points = whole(-sum[receipt], 100)
            returned += points
            balance[card] -= points
        } else {
            receipts++
            points = whole(sum[receipt], 100)
            earned += points
            balance[card] += points
        }
        if (points < 0) {
            print "receipt " receipt " is below zero" >"/dev/stderr"
            exit 1
        }
    }
    for (card in balance) {
        members++
        in_debt += balance[card] < 0
        debt -= balance[card] < 0 ? balance[card] : 0
        printf "balance %s %d\n", card, balance[card]
    }
    printf "receipts %d\nreturns %d\nlines %d\nskipped_lines %d\nmembers %d\nearned %d\nreturned %d\n", \
        receipts, returns, lines, skipped, members, earned, returned
    printf "outstanding_less_debt %d\naccounts_in_debt %d\ndebt %d\n", earned - returned, in_debt, debt
}
