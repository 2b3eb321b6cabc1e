import type { ByteCounts, Phase, PhaseName, Reference, Snapshot, StateReason } from '../core/snapshot.ts';
import { en } from './text/en.ts';

/** The fields of an object, of any type. */
type Unchecked<Name extends PropertyKey> = Readonly<Partial<Record<Name, unknown>>>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const fieldsOf = <Name extends PropertyKey>(value: unknown): Unchecked<Name> =>
  (isObject(value) ? value : {}) as Unchecked<Name>;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const amountOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

/**
 * The snapshot with every field that a row reads. Other programs may omit fields or send wrong ones; such a field
 * reads as unknown.
 *
 * @throws {TypeError} with `code: 'invalid_snapshot'` and `hint` if `value` is not an object or has no valid `state`
 */
export function completeSnapshot(value: unknown): Snapshot {
  if (!isObject(value)) throw invalidSnapshot(value === null ? 'null' : `of type ${typeof value}`);
  const given = fieldsOf<keyof Snapshot>(value);
  const state = textOf(given.state);
  if (!Object.hasOwn(en.states, state))
    throw invalidSnapshot(`an object with the state ${JSON.stringify(given.state) ?? 'missing'}`);
  return {
    ...(value as Snapshot),
    id: textOf(given.id),
    at: textOf(given.at),
    label: textOf(given.label),
    action: textOf(given.action),
    title: textOf(given.title) || null,
    subject: referenceOf(given.subject),
    target: isObject(given.target) ? referenceOf(given.target) : null,
    ownerName: textOf(given.ownerName),
    queuePosition: amountOf(given.queuePosition),
    stateReason: isObject(given.stateReason) ? reasonOf(given.stateReason) : null,
    phases: listOf(given.phases).map(phaseOf),
    phaseIndex: Number.isInteger(given.phaseIndex) ? (given.phaseIndex as number) : -1,
    rate: amountOf(given.rate),
    etaMs: amountOf(given.etaMs),
    bytes: isObject(given.bytes) ? bytesOf(given.bytes) : null,
    elapsedMs: amountOf(given.elapsedMs) ?? 0,
    sinceProgressMs: amountOf(given.sinceProgressMs) ?? 0,
    stalled: given.stalled === true,
    warnings: listOf(given.warnings).map(textOf),
    error: isObject(given.error) ? errorOf(given.error) : null,
    result: isObject(given.result) ? (given.result as Snapshot['result']) : null,
  };
}

/** Not a `ProgressError`: a page would load the texts of every error of the server with its class. */
function invalidSnapshot(what: string): TypeError {
  const hint = 'Set the parsed object of a message, e.g. { id: "1", state: "running" }, or null.';
  return Object.assign(new TypeError(`This value is not a snapshot: it is ${what}. ${hint}`), {
    code: 'invalid_snapshot',
    hint,
  });
}

function referenceOf(value: unknown): Reference {
  const { kind, name } = fieldsOf<keyof Reference>(value);
  return { kind: textOf(kind), id: null, name: textOf(name) };
}

function reasonOf(value: object): StateReason {
  const { code, params } = fieldsOf<keyof StateReason>(value);
  const known = Object.entries(fieldsOf<string>(params)).filter(
    (entry): entry is [string, string | number] =>
      typeof entry[1] === 'string' || amountOf(entry[1]) !== null,
  );
  return { code: textOf(code), params: Object.fromEntries(known) };
}

/** A phase without a valid number of units done is reduced to its name. */
function phaseOf(value: unknown): Phase | PhaseName {
  const given = fieldsOf<keyof Phase>(value);
  const done = amountOf(given.done);
  const name: PhaseName = {
    name: textOf(given.name),
    state: textOf(given.state) as Phase['state'],
    elapsedMs: amountOf(given.elapsedMs) ?? 0,
  };
  if (done === null) return name;
  const unit = given.unit === 'bytes' || given.unit === 'steps' ? given.unit : null;
  return { ...name, elapsedMs: name.elapsedMs ?? 0, unit, done, durable: 0, total: amountOf(given.total) };
}

function bytesOf(value: object): ByteCounts {
  const given = fieldsOf<keyof ByteCounts>(value);
  const of = (name: keyof ByteCounts): number => amountOf(given[name]) ?? 0;
  return {
    virtual: of('virtual'),
    data: of('data'),
    skipped: of('skipped'),
    shared: of('shared'),
    written: of('written'),
  };
}

function errorOf(value: object): NonNullable<Snapshot['error']> {
  const { code, message, hint, detail } = fieldsOf<keyof NonNullable<Snapshot['error']>>(value);
  return {
    code: textOf(code),
    message: textOf(message),
    hint: textOf(hint),
    detail: typeof detail === 'string' ? detail : null,
  };
}
