#include "service/internal.h"

enum handled handle_programme_rehearse(struct request *request)
{
    refuse_now(request, RESULT_UNKNOWN_OPERATION, "");
    return HANDLED;
}
