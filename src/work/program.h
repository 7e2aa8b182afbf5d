/* src/work/program.h - what harts and devices are asked to do.
 *
 * A program is a name, a parameter table and a function. The machine reads an entry of `agents:` into one `struct
 * agent` per hart (or device) that it runs on, and calls prepare once per entry at boot and run on each hart.
 * A run ends when every agent with a count has finished; agents without a count are background.
 */
#ifndef LAB_WORK_PROGRAM_H
#define LAB_WORK_PROGRAM_H

#include "models/device/dma.h"
#include "models/hart/hart.h"
#include "src/base/rng.h"
#include "src/config/param.h"
#include "src/kern/kernel.h"

struct agent;

/* IOMMU domain of all pages that programs map for devices. The machine attaches every device to it, so that a program
 * runs on any of them. */
enum { WORK_DOMAIN = 1 };

/* Agents of different entries find each other here; one per machine, kept by the machine. */
struct work {
    const struct kernel *kernel;
    struct backdoor *backdoor;          /* prepare only: before time starts */
    struct engine *engine;
    struct agent *agents;               /* all of them, in the order of the file, then of harts */
    unsigned agent_count;
    struct hart *const *harts;          /* all of them, by number, those without an agent too */
    unsigned hart_count;
    struct dma_engine *const *devices;
    unsigned device_count;
    struct meeting *meetings;           /* src/work/meeting.h; owned by the machine's arena */
    struct script_board *board;         /* src/work/script.h; the same */
    unsigned hogs_on_the_way;           /* of program pressure: harts that have not yet reached their level */
    unsigned vectors_used, softirqs_used;
    struct arena *arena;
    /* a fixed region of kernel scratch memory, handed out at prepare in whole lines */
    uint64_t scratch_used_bytes;
    void (*illegal)(void *machine, const char *text); /* exit 3: e.g. a device program that cannot go on */
    void (*device_finished)(void *machine, struct agent *);
    void (*progress)(void *machine, struct agent *);  /* one operation done: watchdog and progress bar */
    void (*count)(void *machine, const char *counter, uint64_t add); /* for device programs; harts: k_count. The name
                                           lives as long as the machine */
    void *machine;
};

struct program {
    const char *name, *sentence;
    const struct param *params;         /* may be NULL */
    size_t desc_bytes;                  /* of the descriptor the table fills */
    bool on_device;
    /* All may be NULL but one of run and start. */
    /* NULL, or what is wrong. Of struct work only kernel->desc, hart_count and device_count are looked at. */
    const char *(*check)(const void *desc, const struct work *, unsigned members);
    /* Reads files that the parameters name, before prepare. False after an error, which is in diag. */
    bool (*load)(struct work *, struct agent *members, unsigned count, const struct node *entry, struct diag *);
    void (*prepare)(struct work *, struct agent *members, unsigned count); /* boot, by back door */
    void (*run)(struct hart *, struct agent *);   /* on the hart's fiber; returns when its count is done */
    void (*start)(struct agent *);                /* device program: submits its first request at tick 0 */
};

struct agent {
    const struct program *program;
    const char *name;                   /* of the entry: agents.NAME */
    struct work *work;
    const void *desc;                   /* the program's parameters */
    unsigned member, members;           /* which of the entry's harts this is */
    struct hart *hart;                  /* or */
    struct dma_engine *device;
    uint64_t count, warmup;             /* count 0: background, never ends by itself; warmup operations come first,
                                           are not recorded and not counted */
    uint64_t done;                      /* operations finished, warm-up included */
    struct rng rng;                     /* stream named after entry and member */
    bool started;                       /* agent_next has been called */
    bool finished;                      /* the machine's: run has returned or device_finished was called */
    void *state;                        /* the program's, set in prepare */
};

extern const struct program *const programs[]; /* NULL-terminated, sorted by name */
const struct program *program_find(const char *name);

/* Lines of scratch memory (line-aligned, from a page on page-aligned; zero at boot); panics when the machine's
 * scratch is used up. */
paddr work_scratch(struct work *, uint64_t bytes);
/* To be called by run (or by start and whenever a request is done) before the first and after each operation:
 * switches recording on after the warm-up and off at the end, reports progress, and says whether to go on. A device
 * program that is told no calls device_finished. */
bool agent_next(struct agent *);
/* The stream that a member of an entry draws from. */
struct rng agent_rng(uint64_t seed, const char *entry, unsigned member);
/* Past its warm-up: is what it does now to be recorded? */
bool agent_recorded(const struct agent *);

#endif
