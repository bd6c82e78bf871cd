/* The calls of punkt.h, made from calls.def. */
#include "lib/client.h"

#define CALL(NAME, name, request_struct, answer_struct)                                                      \
    enum punkt_call punkt_##name(struct punkt *punkt, const struct request_struct *request,                  \
                                 struct answer_struct *out_answer)                                           \
    {                                                                                                        \
        return call_and_wait(punkt, call_of(OPERATION_##NAME), request,                                      \
                             out_answer != NULL ? &out_answer->head : NULL);                                 \
    }                                                                                                        \
    enum punkt_call punkt_submit_##name(struct punkt *punkt, const struct request_struct *request,           \
                                        punkt_done_fn *on_done, void *ctx)                                   \
    {                                                                                                        \
        return submit(punkt, call_of(OPERATION_##NAME), request, on_done, ctx);                              \
    }
#include "lib/calls.def"
#undef CALL

enum punkt_call punkt_message(struct punkt *punkt, const struct punkt_message_request *request,
                              struct punkt_message_answer *out_answer)
{
    return call_and_wait(punkt, call_of(PUNKT_OPERATION_NONE), request,
                         out_answer != NULL ? &out_answer->head : NULL);
}

enum punkt_call punkt_submit_message(struct punkt *punkt, const struct punkt_message_request *request,
                                     punkt_done_fn *on_done, void *ctx)
{
    return submit(punkt, call_of(PUNKT_OPERATION_NONE), request, on_done, ctx);
}

const struct punkt_statement_entry *punkt_statement_entry(const struct punkt_statement_answer *answer,
                                                          size_t index)
{
    const struct punkt_statement_entry *entries = answer->entries;
    return entries != NULL && index < answer->entry_count ? &entries[index] : NULL;
}
