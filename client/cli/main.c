#include <locale.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); /* else tables show what is not ASCII as numbers */
    return cli_run(argc, argv, stdout, stderr);
}
