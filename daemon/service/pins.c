/*
 * PINs (LEDGER.md, Secrets): a try is counted, by an event, before it is checked; checks are made one at a time an
 * account, on the worker thread. The PIN itself is in no event, log or fingerprint.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "ledger/fold.h"
#include "service/internal.h"

/* scrypt (RFC 7914): 16 MiB and some 50 ms a try. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_MEMORY (64u * 1024 * 1024)

static bool is_checked_now(const struct service *service, account_number account)
{
    for (uint32_t i = 0; i < service->pin_check_count; i++) {
        if (service->pin_checks[i] == account)
            return true;
    }
    return false;
}

static enum handled check_on_worker(struct request *request, account_number account,
                                    const struct account_pin *pin)
{
    struct service *service = request->service;
    PUNKT_CHECK(service->pin_check_count < PIN_CHECKS_MAX);
    service->pin_checks[service->pin_check_count++] = account;
    request->check = *pin;
    request->check_for = account;
    return HANDLED_PIN;
}

/* Whether another check must end first; then the request is told to come again. */
static bool must_wait(struct request *request, account_number account)
{
    struct service *service = request->service;
    if (service->pin_check_count < PIN_CHECKS_MAX && !is_checked_now(service, account))
        return false;
    refuse_now(request, RESULT_BUSY, "another PIN is being checked");
    request->answered = true;
    return true;
}

enum handled pin_settle(struct request *request, struct text number)
{
    struct service *service = request->service;
    struct account *account = &service->decision.sides[0].before;
    struct card card;
    request->pin_card = number;
    if (request->secret.size == 0 || request->pin != PIN_NOT_GIVEN ||
        programme_in_force(service, ledger_now(service->ledger))->pin == PIN_NEVER ||
        !fold_card(ledger_fold(service->ledger), number, &card))
        return HANDLED;
    PUNKT_CHECK(fold_account(ledger_fold(service->ledger), card.account, account));
    struct account_pin pin = account->pin;
    account_number of = account->number;
    if (!pin.set || must_wait(request, of))
        return HANDLED;
    if (pin.wrong >= PIN_TRIES) {
        request->pin = PIN_UNCHECKED; /* locked: not even a right one counts */
        return HANDLED;
    }
    struct judgement judgement = request_judgement(request);
    struct pin_try_request try = { .card = number };
    do
        decide_pin_try(&service->view, &judgement, &try, &service->decision);
    while (day_first(request));
    if (request->stalled || !ledger_has_room(service->ledger))
        return HANDLED_STALL;
    if (service->decision.refusal != REFUSAL_NONE)
        return HANDLED; /* the decision that follows says why */
    append_own(service, &service->decision.event);
    return check_on_worker(request, of, &pin);
}

void pin_was_right(struct request *request)
{
    struct service *service = request->service;
    struct judgement judgement = request_judgement(request);
    struct pin_try_request try = { .card = request->pin_card, .right = true };
    if (request->pin != PIN_RIGHT || request->pin_card.size == 0)
        return;
    do
        decide_pin_try(&service->view, &judgement, &try, &service->decision);
    while (day_first(request));
    if (!request->stalled && ledger_has_room(service->ledger) && service->decision.refusal == REFUSAL_NONE)
        append_own(service, &service->decision.event);
}

enum handled pin_make(struct request *request, struct text number)
{
    struct service *service = request->service;
    struct account *account = &service->decision.sides[0].before;
    struct account_pin none = { .set = false };
    struct card card;
    if (request->secret.size == 0 || request->pin != PIN_NOT_GIVEN ||
        !fold_card(ledger_fold(service->ledger), number, &card))
        return HANDLED;
    PUNKT_CHECK(fold_account(ledger_fold(service->ledger), card.account, account));
    if (must_wait(request, account->number))
        return HANDLED;
    return check_on_worker(request, account->number, &none);
}

void pin_done(struct service *service, account_number account)
{
    for (uint32_t i = 0; i < service->pin_check_count; i++) {
        if (service->pin_checks[i] == account) {
            service->pin_checks[i] = service->pin_checks[--service->pin_check_count];
            return;
        }
    }
    PUNKT_CHECK(false); /* it was noted when it began */
}

/* scrypt over HMAC(pepper, account, PIN). */
static bool hash_pin(const struct service *service, account_number account, struct text secret,
                     const uint8_t salt[PIN_SALT_SIZE], uint8_t out[PIN_HASH_SIZE])
{
    uint8_t message[8 + FRAME_SECRET_MAX];
    uint8_t keyed[32];
    unsigned int keyed_size = 0;
    PUNKT_CHECK(secret.size <= FRAME_SECRET_MAX);
    for (size_t i = 0; i < 8; i++)
        message[i] = (uint8_t)(account >> (8 * i));
    memcpy(message + 8, secret.data, secret.size);
    bool done = HMAC(EVP_sha256(), service->options.keys->pepper, sizeof(service->options.keys->pepper),
                     message, 8 + secret.size, keyed, &keyed_size) != NULL &&
                EVP_PBE_scrypt((const char *)keyed, keyed_size, salt, PIN_SALT_SIZE, SCRYPT_N, SCRYPT_R,
                               SCRYPT_P, SCRYPT_MEMORY, out, PIN_HASH_SIZE) == 1;
    OPENSSL_cleanse(message, sizeof(message));
    OPENSSL_cleanse(keyed, sizeof(keyed));
    return done;
}

enum pin_check pin_work(const struct service *service, account_number account, struct text secret,
                        struct account_pin *pin)
{
    uint8_t hash[PIN_HASH_SIZE];
    if (!pin->set) {
        pin->set = RAND_bytes(pin->salt, sizeof(pin->salt)) == 1 &&
                   hash_pin(service, account, secret, pin->salt, pin->hash);
        return pin->set ? PIN_RIGHT : PIN_WRONG;
    }
    bool right = hash_pin(service, account, secret, pin->salt, hash) &&
                 CRYPTO_memcmp(hash, pin->hash, sizeof(hash)) == 0;
    OPENSSL_cleanse(hash, sizeof(hash));
    return right ? PIN_RIGHT : PIN_WRONG;
}
