/* What the shard holds: no more than it may, and all of it accounted for. */
#include "gateway/shard_internal.h"
#include "hostile/story.h"
#include "hostile/witness.h"

static void look_at_sizes(const struct witness *witness, const struct shard *shard)
{
    WITNESS_REQUIRE(witness, shard->session_count == witness->live_count, "%zu sessions, and backends know of %zu",
                    shard->session_count, witness->live_count);
    WITNESS_REQUIRE(witness, shard->sessions_by_device.count == shard->session_count,
                    "%zu sessions, of which %zu are found by their device", shard->session_count,
                    (size_t)shard->sessions_by_device.count);
    WITNESS_REQUIRE(witness, shard->pending.unproved.count <= UNPROVED_MAX, "%zu handshakes unproved",
                    shard->pending.unproved.count);
    WITNESS_REQUIRE(witness,
                    shard->pending.by_path.count == shard->pending.unproved.count + shard->pending.proved_count &&
                        shard->pending.by_device.count == shard->pending.by_path.count,
                    "handshakes are lost from a table");
    WITNESS_REQUIRE(witness, shard->streams.silent.count <= SILENT_STREAMS_MAX, "%zu silent connections",
                    shard->streams.silent.count);
}

/* What was given is spent, with the shard, or kept for the `disconnected` of a session that is there. */
static void look_at_credit(const struct witness *witness, const struct world *world)
{
    uint64_t kept = witness->live_count * seam_event_cost(0);
    uint64_t there = world->credit_spent[0] + world->shard->credit.bytes[0] + kept;
    WITNESS_REQUIRE(witness, world->credit_given[0] == there, "of %llu bytes of credit %llu are there",
                    (unsigned long long)world->credit_given[0], (unsigned long long)there);
}

void witness_looks_at_tables(const struct witness *witness)
{
    const struct world *world = witness->story->world;
    look_at_sizes(witness, world->shard);
    look_at_credit(witness, world);
}
