/* models/dram/dram_params.c - what a machine file may say about its memory channels. */
#include "models/dram/dram.h"

static const char *const page_policies[] = { "open", "closed", NULL }; /* in the order of enum dram_page_policy */

const struct param dram_params[] = {
    { .key = "channels", .type = P_UINT, PARAM_FIELD(struct dram_desc, channels), .min = 1, .max = DRAM_CHANNELS_MAX,
      .deflt = "4", .help = "Independent channels, each with its own data bus." },
    { .key = "banks_per_channel", .type = P_UINT, PARAM_FIELD(struct dram_desc, banks_per_channel), .min = 1,
      .max = DRAM_BANKS_MAX, .deflt = "16", .help = "Banks of one channel, all ranks together." },
    { .key = "row", .type = P_BYTES, .flags = PARAM_POW2, PARAM_FIELD(struct dram_desc, row_bytes), .min = LINE_BYTES,
      .max = 1 << 20, .deflt = "8KiB", .help = "Size of a row of one bank, as the channel sees it." },
    { .key = "interleave", .type = P_BYTES, .flags = PARAM_POW2, PARAM_FIELD(struct dram_desc, interleave_bytes),
      .min = LINE_BYTES, .max = 1 << 30, .deflt = "256B", .help = "Consecutive bytes on one channel before the next one follows." },
    { .key = "t_cas", .type = P_TIME, PARAM_FIELD(struct dram_desc, t_cas_ps), .max = PS_PER_US, .deflt = "13.75ns",
      .help = "From the column command to the first data." },
    { .key = "t_rcd", .type = P_TIME, PARAM_FIELD(struct dram_desc, t_rcd_ps), .max = PS_PER_US, .deflt = "13.75ns",
      .help = "From activating a row to the column command." },
    { .key = "t_rp", .type = P_TIME, PARAM_FIELD(struct dram_desc, t_rp_ps), .max = PS_PER_US, .deflt = "13.75ns",
      .help = "From precharging a bank to activating another row." },
    { .key = "t_burst", .type = P_TIME, PARAM_FIELD(struct dram_desc, t_burst_ps), .min = 1, .max = PS_PER_US,
      .deflt = "3.75ns", .help = "One line on the channel's data bus (8 beats of 64 bits at 2133 MT/s: 3.75 ns)." },
    { .key = "controller", .type = P_TIME, PARAM_FIELD(struct dram_desc, controller_ps), .max = PS_PER_US, .deflt = "20ns",
      .help = "Memory controller and physical layer, both ways together." },
    { .key = "write_queue", .type = P_UINT, .flags = PARAM_ADVANCED, PARAM_FIELD(struct dram_desc, write_queue), .min = 1, .max = 4096,
      .deflt = "64", .help = "Posted writes a channel may be behind before the last level waits for it." },
    { .key = "page_policy", .type = P_CHOICE, PARAM_FIELD(struct dram_desc, page_policy), .deflt = "open",
      .choices = page_policies, .help = "open: a row stays open after an access; closed: it is closed at once." },
    { .key = NULL },
};
