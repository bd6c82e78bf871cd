/* Handlers that are not there yet: each goes when its file comes. */
#include "service/internal.h"

#define PENDING(name)                                                                                        \
    enum handled handle_##name(struct request *request)                                                      \
    {                                                                                                        \
        refuse_now(request, RESULT_NOT_READY, "");                                                           \
        return HANDLED;                                                                                      \
    }
PENDING(flag_list)
PENDING(flag_resolve)
