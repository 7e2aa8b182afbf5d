/* models/mmu/mmu_params.c - keys of a hart's TLB. */
#include "models/mmu/tlb.h"

const struct param tlb_params[] = {
    { .key = "entries", .type = P_UINT, PARAM_FIELD(struct tlb_desc, entries), .min = 1, .max = 65536, .deflt = "64",
      .help = "Translations the TLB of one core holds." },
    { .key = "ways", .type = P_UINT, PARAM_FIELD(struct tlb_desc, ways), .min = 1, .max = 65536, .deflt = "4",
      .help = "Entries that share a set; entries divided by ways is a power of two." },
    { .key = NULL }
};
