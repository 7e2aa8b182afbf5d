/* src/cli/study.h - what sweep, merge, plot and export do with a study's folder. */
#ifndef LAB_CLI_STUDY_H
#define LAB_CLI_STUDY_H

#include <stdio.h>

#include "src/study/frame.h"
#include "src/study/plot_desc.h"

/* Writes results.csv and, if points are repeated, summary.csv into the folder. */
void study_export_tables(struct store *, const char *folder);
void study_write_text(const char *folder, const char *name, const char *text);
/* What the points that did not end clean said, at most ten of them. shard of shards. */
void study_say_failures(FILE *, struct store *, const struct plan *, unsigned shard, unsigned shards);
/* One line per point for people: coordinates, then the main metric with its interval; and where files are. */
void study_say_table(FILE *, const char *folder);
/* The plots of FOLDER/config.yaml; exit 2 with messages if there are errors. Lives in the arena. */
struct plots study_plots(struct arena *, const char *folder);

#endif
