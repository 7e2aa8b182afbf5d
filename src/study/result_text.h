/* src/study/result_text.h - a result as tables and bars for people. */
#ifndef LAB_STUDY_RESULT_TEXT_H
#define LAB_STUDY_RESULT_TEXT_H

#include <stdio.h>

#include "src/base/table.h"
#include "src/machine/machine.h"

struct text_options {
    struct text_style style;
    bool verbose;                 /* every class broken down, every counter */
    const char *machine;          /* one line about the machine, or NULL */
    const char *const *notes;     /* e.g. that a sweep block was left aside */
    size_t note_count;
};

void result_text_write(FILE *, const struct result *, const struct text_options *);

/* Why a run did not end clean: what stopped it, and each violation with its history. Nothing if it did. */
void result_text_trouble(FILE *, const struct result *);

/* Only the table of latencies: used by other commands as well. */
void result_text_latencies(FILE *, const struct result *, struct text_style);

#endif
