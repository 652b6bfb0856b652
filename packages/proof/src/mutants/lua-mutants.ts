/** Bugs of the functions in Redis. They are put into the library that is built from `db/lua`. */
import type { Edit, Mutant } from './mutant.ts';

const LIBRARY = 'packages/live-store/src/generated/library.ts';

const lua = (name: string, find: string, put: string, suite = 'log'): Mutant =>
  all(name, [{ find, put }], suite);
const all = (name: string, edits: readonly Edit[], suite = 'log'): Mutant => ({
  name,
  file: LIBRARY,
  edits,
  suites: [suite, ...['log', 'inbox', 'views', 'transfer'].filter((other) => other !== suite)],
});

const APPEND = "redis.call('XADD', log, seq .. '-0', 'h', header, 'b', body, 'i', consumed)";
const HOLDER = "if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then";
const HEAD = 'if tonumber(head_seq) + 1 ~= tonumber(seq) or head_hash ~= prev_hash then';
const SAME = 'if head_seq == seq and head_hash == hash then';

export const LUA_MUTANTS: readonly Mutant[] = [
  // The fence.
  lua(
    'no-nonce',
    'if was[1] ~= nonce or was[2] ~= epoch then\n    return fenced(was[1], was[2])\n  end\n\n  -- 4.',
    'if was[2] ~= epoch then\n    return fenced(was[1], was[2])\n  end\n\n  -- 4.',
  ),
  lua(
    'no-epoch',
    'if was[1] ~= nonce or was[2] ~= epoch then\n    return fenced(was[1], was[2])\n  end\n\n  -- 4.',
    'if was[1] ~= nonce then\n    return fenced(was[1], was[2])\n  end\n\n  -- 4.',
  ),
  lua('release-unfenced', `-- L1: only the holder gives back.\n  ${HOLDER}`, 'if false then'),
  lua('handover-unfenced', `-- L1: only the holder hands over.\n  ${HOLDER}`, 'if false then'),
  lua(
    'renew-unfenced',
    `-- L1: the lease is who the store says, at this instant.\n  ${HOLDER}`,
    'if false then',
  ),
  lua('revoke-unfenced', "if nonce == '' or was[1] ~= nonce then", 'if false then'),
  lua(
    'checkpoint-unfenced',
    '-- 3. L1: nonce and epoch',
    "if checkpoint ~= '' then\n    redis.call('HSET', ckpt0, 'seq', seq, 'hash', hash, 'tick', tick, 'body', checkpoint)\n  end\n  -- 3. L1: nonce and epoch",
  ),
  // The lease.
  lua('epoch-plus-one', 'if decimal_below(epoch, call.now_us) then', 'if false then'),
  lua('nonce-used-again', 'if was[11] == nonce then', 'if false then'),
  lua('deadline-unclamped', 'if deadline_ms > now_ms + ttl_was then', 'if false then'),
  lua('one-strike', 'if suspect_ms == 0 or suspect_ms > now_ms then', 'if false then'),
  lua('no-grace', 'if now_ms < suspect_ms + grace_ms then', 'if false then'),
  lua(
    'renew-leaves-mark',
    "'suspect', 0, 'ttl', ttl_ms, 'last',\n    call.now_ms)\n  return",
    "'ttl', ttl_ms, 'last',\n    call.now_ms)\n  return",
  ),
  lua('commit-leaves-mark', "if was[5] ~= '0' then", 'if false then'),
  lua('heir-ignored', 'if until_ms > now_ms then', 'if false then'),
  lua('attempts-kept', "if was[6] ~= '0' then", 'if false then'),
  lua(
    'already-extends',
    `${SAME}\n    return`,
    `${SAME}\n    redis.call('HSET', meta, 'deadline', deadline)\n    return`,
  ),
  // The log.
  lua('no-head-check', HEAD, 'if false then'),
  lua('no-head-hash', HEAD, 'if tonumber(head_seq) + 1 ~= tonumber(seq) then'),
  lua('no-already', SAME, 'if false then'),
  lua(
    'append-after-head',
    APPEND,
    `redis.call('HSET', meta, 'seq', seq, 'hash', hash)\n  ${APPEND}`,
  ),
  lua(
    'index-before-append',
    APPEND,
    `if geo_puts_count > 0 then\n    redis.call('ZADD', geo, unpack(geo_puts))\n  end\n  ${APPEND}`,
  ),
  lua(
    'trim-before-append',
    APPEND,
    `if older_seq and older_seq > 0 then\n    redis.call('XTRIM', log, 'MINID', (older_seq + 1) .. '-0')\n  end\n  ${APPEND}`,
  ),
  lua('trim-to-newest', 'math.min(older_seq, tonumber(seq) - log_keep)', 'tonumber(seq)'),
  lua('newer-slot', 'if seq0 <= seq1 then', 'if seq0 > seq1 then'),
  // Channels and inboxes.
  lua('cursor-not-stored', 'local fields = moved\n', 'local fields = {}\n', 'transfer'),
  lua(
    'cursor-any-start',
    "if tonumber(at[i] or '0') ~= from then",
    "if tonumber(at[i] or '0') > from then",
  ),
  lua(
    'cursor-forgotten',
    "redis.call('HSET', meta, 'nonce', nonce, 'epoch', epoch,",
    "redis.call('HDEL', meta, 'in:0', 'in:1', 'in:7')\n  redis.call('HSET', meta, 'nonce', nonce, 'epoch', epoch,",
    'transfer',
  ),
  lua(
    'channel-gap',
    'if outs[i * 3 - 2] ~= out_seq + i then',
    'if outs[i * 3 - 2] < out_seq + i then',
  ),
  lua('trim-unchecked', "(out_trim_to > out_last and 'out: trimmed beyond its end')", 'nil'),
  lua('post-unknown', 'if known then\n', 'if false then\n', 'inbox'),
  lua('inbox-any-start', 'if at ~= from then', 'if false then'),
];
