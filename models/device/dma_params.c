/* models/device/dma_params.c - keys of a DMA engine. */
#include "models/device/dma.h"

const struct param dma_params[] = {
    { .key = "tags", .type = P_UINT, PARAM_FIELD(struct dma_desc, tags), .min = 1, .max = 256, .deflt = "32",
      .help = "Line-sized pieces the device may have outstanding." },
    { .key = "link", .type = P_TIME, PARAM_FIELD(struct dma_desc, link_ps), .min = 0, .max = PS_PER_MS, .deflt = "150ns",
      .help = "Latency between device and root complex, each way." },
    { .key = "issue", .type = P_TIME, PARAM_FIELD(struct dma_desc, issue_ps), .min = 0, .max = PS_PER_MS, .deflt = "4ns",
      .help = "Time between two pieces leaving the device: 64 bytes at the link's bandwidth." },
    { .key = NULL }
};
