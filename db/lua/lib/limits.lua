-- The limits of one call. Those that clients must know are the constants of the same names in
-- packages/protocol/src/store.ts; a test compares them.

local CELLS_PER_CALL_MAX = 16
local BYTES_PER_CALL_MAX = 512 * 1024
local BYTES_PER_CELL_MAX = 1024 * 1024
-- Lease, head and a cursor for each source that it ever read.
local HEAD_FIELDS_MAX = 1024
-- Two for each of the ids that are remembered.
local POSTED_FIELDS_MAX = 2048
-- 256 index updates cost about 0.3 ms, and 768 arguments stay far below what unpack can carry.
local GEO_PER_COMMIT_MAX = 256
local OUT_PER_COMMIT_MAX = 256
-- A cell consumes from its eight neighbours in every tick; the rest is for events from afar.
local CURSORS_PER_COMMIT_MAX = 256
-- A lease that lives longer than a minute would keep the cells of a dead pod for as long.
local LEASE_TTL_MS_MAX = 60 * 1000
local GRACE_MS_MAX = 60 * 1000
-- How long a handover keeps the cell for its heir, who follows the log and needs one round trip.
local HANDOVER_MS = 1000
-- What waits in one inbox. At the limit the answer is FULL; nothing unread is ever dropped.
local INBOX_ENTRIES_MAX = 10000
local INBOX_BYTES_MAX = 2 * 1024 * 1024
local POST_BYTES_MAX = 64 * 1024
-- Ids of posts that are remembered, so that a repetition is recognised after it was consumed.
local POST_IDS_MAX = 1024
-- 126 names of pods; who finds more of them dead at once takes the rest in its next call.
local DEAD_BYTES_MAX = 8192
local NONCE_BYTES_MAX = 128
local HASH_BYTES_MAX = 32
-- Beyond 1e14 Lua 5.1 writes a number as 1e+14, which is no stream id.
local INTEGER_MAX = 99999999999999
local SEQ_DIGITS_MAX = 14
-- An authority that hangs holds up planning for no longer than a pod that hangs does its cells.
local LEAD_TTL_MS_MAX = 60 * 1000
-- 10,000 regions of one cell, each with four edges.
local PLAN_BYTES_MAX = 4 * 1024 * 1024
-- A world whose pods all changed at once: a hundred pods, some decisions each.
local DECISIONS_PER_PLAN_MAX = 1000
-- Days of a quiet world, minutes of one that is rebuilt all the time; 400 bytes each.
local JOURNAL_ENTRIES_MAX = 10000
-- One in ten seconds for an hour, and as many again.
local SAMPLES_MAX = 720
local SAMPLES_KEPT_MS = 3600 * 1000
-- A bulk job asks for a chunk at a time; a cell has 2^32 of them.
local IDS_PER_CALL_MAX = 100000
local ID_COUNTER_MAX = 4294967295
-- Three arguments each, as many as unpack is given elsewhere.
local NOTES_PER_CALL_MAX = 256
-- Of each of 64 slots; a note is late by some ticks, not by 65,536 deaths.
local DEATHS_NOTED_MAX = 1024
local LETTERS_PER_CALL_MAX = 64
local DEAD_LETTERS_MAX = 10000
-- 3 KB each if there are as many as there may be; the largest has 64 KB.
local LETTER_BYTES_MAX = 32 * 1024 * 1024
