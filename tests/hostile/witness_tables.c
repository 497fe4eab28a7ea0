/* What the shard holds: no more than it may, and all of it accounted for. */
#include "gateway/shard_internal.h"
#include "hostile/story.h"
#include "hostile/witness.h"

#define SECRETS_A_THING 4u
#define BYTES_A_THING 512u
#define BUCKETS_LEAST 64u

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

/* A session has a piece of secret memory and borrows three at most, a handshake has one; tables grow with the most that
 * were there at a time, by doubling. */
static void look_at_memory(struct witness *witness, const struct shard *shard)
{
    if (witness->story->operator.is_reloading)
        return; /* larger limits have larger tables, see witness_reloaded */
    struct memory_use use = memory_watch_use();
    size_t things = shard->deadlines.reserved;
    witness->things_most = things > witness->things_most ? things : witness->things_most;
    WITNESS_REQUIRE(witness, use.secrets <= witness->base.secrets + SECRETS_A_THING * things,
                    "%zu pieces of secret memory for %zu sessions, handshakes and connections", use.secrets, things);
    WITNESS_REQUIRE(witness, use.bytes <= witness->base.bytes + BYTES_A_THING * (witness->things_most + BUCKETS_LEAST),
                    "%zu bytes over %zu for %zu sessions, handshakes and connections at most", use.bytes,
                    witness->base.bytes, witness->things_most);
}

void witness_looks_at_tables(struct witness *witness)
{
    const struct world *world = witness->story->world;
    look_at_sizes(witness, world->shard);
    look_at_memory(witness, world->shard);
    look_at_credit(witness, world);
}
