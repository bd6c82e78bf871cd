#include "lib/tls_words.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define ASK "revoked, suspended or not enrolled? ask the office"

/* The alert that the server sent; 0: none, or that of a server that is no longer there. */
static int alert_of(int reason)
{
    return reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255
               ? reason - SSL_AD_REASON_OFFSET
               : 0;
}

/* The server's certificate, as we see it. */
static void certificate_words(const struct tls_failure *failure, long verified, char *out, size_t capacity)
{
    switch (verified) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        (void)snprintf(out, capacity, "the server's certificate has expired");
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)snprintf(out, capacity,
                       "the server's certificate is not valid yet: is this machine's clock right?");
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        (void)snprintf(out, capacity, "the server's certificate is not for %.60s", failure->server_name);
        return;
    case X509_V_ERR_INVALID_PURPOSE:
        (void)snprintf(out, capacity, "the server's certificate is not one for servers");
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        (void)snprintf(out, capacity, "the server's certificate is not signed by the CA of %.80s",
                       failure->ca_path);
        return;
    default:
        (void)snprintf(out, capacity, "the server's certificate: %s",
                       X509_verify_cert_error_string(verified));
    }
}

/* The server does not take our proof, and said this alert of it. */
static void proof_words(const struct tls_failure *failure, int alert, char *out, size_t capacity)
{
    switch (failure->proof) {
    case TLS_PROOF_CERTIFICATE:
        (void)snprintf(out, capacity, "the server does not accept our certificate (%s): " ASK,
                       SSL_alert_desc_string_long(alert));
        return;
    case TLS_PROOF_PSK:
        (void)snprintf(out, capacity, "the server does not accept our pre-shared key: " ASK);
        return;
    case TLS_PROOF_CODE:
        (void)snprintf(out, capacity,
                       "the server does not accept this code: mistyped, used, or over 30 minutes old?");
        return;
    }
}

/* What the server said of us. False: nothing of our proof. */
static bool alert_words(const struct tls_failure *failure, int alert, char *out, size_t capacity)
{
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_ILLEGAL_PARAMETER:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_UNKNOWN_PSK_IDENTITY:
    case SSL_AD_MISSING_EXTENSION:
        if (failure->proof == TLS_PROOF_CERTIFICATE && !failure->shaken) {
            (void)snprintf(out, capacity,
                           "the server wants another proof than a certificate (%s): is it the right port?",
                           SSL_alert_desc_string_long(alert));
            return true;
        }
        proof_words(failure, alert, out, capacity);
        return true;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        proof_words(failure, alert, out, capacity);
        return true;
    case SSL_AD_CERTIFICATE_EXPIRED:
        (void)snprintf(out, capacity,
                       "our certificate has expired: ask the office for a new code, and enrol");
        return true;
    case SSL_AD_PROTOCOL_VERSION:
        (void)snprintf(out, capacity, "the server does not speak TLS 1.3");
        return false;
    default:
        (void)snprintf(out, capacity, "the server ended TLS: %s", SSL_alert_desc_string_long(alert));
        return false;
    }
}

static void loss_words(const struct tls_failure *failure, char *out, size_t capacity)
{
    const char *what =
        failure->loss.error != 0 ? strerror(failure->loss.error) : "the server closed the connection";
    (void)snprintf(out, capacity, "%s%s", what, failure->shaken ? "" : " during the TLS handshake");
}

static void other_words(const struct tls_failure *failure, int reason, unsigned long error, char *out,
                        size_t capacity)
{
    const char *text = ERR_reason_error_string(error);
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_RECORD_TOO_SMALL ||
        reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_UNEXPECTED_MESSAGE)
        (void)snprintf(out, capacity, "the server does not speak TLS here: is it the right port?");
    else if (failure->loss.ended || failure->loss.error != 0)
        loss_words(failure, out, capacity);
    else
        (void)snprintf(out, capacity, "TLS: %s", text != NULL ? text : "an error without a name");
}

bool tls_words(const struct tls_failure *failure, char *out, size_t capacity)
{
    long verified = SSL_get_verify_result(failure->ssl);
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    int alert = alert_of(reason);
    if (alert != 0)
        return alert_words(failure, alert, out, capacity);
    if (failure->proof != TLS_PROOF_CERTIFICATE && !failure->shaken &&
        (verified != X509_V_OK || error == 0) && !failure->loss.ended && failure->loss.error == 0) {
        (void)snprintf(out, capacity, "the server does not know this %s: is it the right server and port?",
                       failure->proof == TLS_PROOF_CODE ? "code" : "pre-shared key");
        return true;
    }
    if (verified != X509_V_OK && !failure->shaken) {
        certificate_words(failure, verified, out, capacity);
        return true;
    }
    other_words(failure, reason, error, out, capacity);
    return false;
}
