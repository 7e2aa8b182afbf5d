/* src/study/outfile.h - output files that are there as a whole or not at all.
 *
 * Text goes to a temporary name in the same folder and is renamed when complete. "-" is standard output;
 * what exists and is no regular file (a pipe, /dev/null) is written to directly. Whatever goes wrong is
 * fail_user (exit 2), and leaves what was there before.
 */
#ifndef LAB_STUDY_OUTFILE_H
#define LAB_STUDY_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

struct outfile;

/* Fails at once if the file could not be made: before a long run, not after it. */
void outfile_check(const char *path);
struct outfile *outfile_open(const char *path);
FILE *outfile_stream(struct outfile *);
void outfile_commit(struct outfile *);           /* and frees it */
void outfile_stdout_check(void);                 /* flushes; fails if anything could not be written */

/* Makes the folder (and the ones above it) unless it is there. */
void folder_make(const char *path);
/* "FOLDER/NAME", malloc'd. */
char *path_join(const char *folder, const char *name);

#endif
