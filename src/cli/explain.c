/* src/cli/explain.c - labyrinth explain: a metric, class, phase, part, source, counter or configuration key in words. */
#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/study/metric.h"

static const struct usage usage = {
    .arguments = "NAME", .args_min = 1, .args_max = 1,
    .doc = "Says what a number means: from which event to which, unit and precision, and what it is made of.\v"
           "NAME is a metric as in labyrinth list metrics, such as exclusive.grant.p99_ns; a class, phase, hardware part or "
           "source alone, such as zone_wait; a counter; a configuration key, such as machine.l2.mshrs; or a meaning of "
           "exclusive, such as coherence.",
};

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    char why[400];
    if (!metric_explain(stdout, c.args[0], why, sizeof why))
        fail_user("%s", why);
    return EXIT_CLEAN;
}

const struct command command_explain = { "explain", "NAME", "Say what a number, word or key means", run };
