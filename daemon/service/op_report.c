#include "service/internal.h"

enum handled handle_report(struct request *request)
{
    refuse_now(request, RESULT_UNKNOWN_OPERATION, "");
    return HANDLED;
}
