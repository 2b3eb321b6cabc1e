import { createHash } from 'node:crypto';
import type { MachineSpec } from '../machine-spec.ts';
import type { XmlElement } from './xml.ts';
import { element } from './xml.ts';

/** Of our element in a machine's metadata. A name, nothing lies there. */
const namespace = 'https://wcc.invalid/machine/1';

/** Names this installation in the metadata of its machines: another wcc of the same user has foreign ones. */
export function ownerOf(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 32);
}

/** The whole specification rides in the machine's metadata, so that there is one truth; in base64, in which nothing needs an escape. */
export function buildTag(spec: MachineSpec, owner: string): XmlElement {
  const text = Buffer.from(JSON.stringify(spec)).toString('base64');
  return element('wcc:machine', { 'xmlns:wcc': namespace, owner }, [text]);
}

export interface TaggedSpec {
  readonly spec: MachineSpec;
  /** E.g. `pc-q35-7.2`: libvirt wrote it out when the machine was made. */
  readonly machineType: string;
}

/**
 * Reads our tag from what libvirt says about the machine. In its XML a `<` begins a tag and nothing else, and comments are not kept.
 * @returns null for a machine that is not ours: no tag, another installation's, or a clone of one of ours, which took the tag along
 */
export function readTag(xml: string, { uuid, owner }: { uuid: string; owner: string }): TaggedSpec | null {
  const tag = /<wcc:machine\s([^>]*)>([A-Za-z0-9+/=\s]+)<\/wcc:machine>/.exec(xml);
  const machineType = /<type [^>]*\bmachine=['"]([a-z0-9.-]+)['"]/.exec(xml)?.[1];
  if (!tag || machineType === undefined) return null;
  const [attributes, text] = [tag[1] ?? '', tag[2] ?? ''];
  if (!attributes.includes(owner) || !attributes.includes(namespace)) return null;
  const spec = parse(Buffer.from(text, 'base64').toString());
  return spec?.uuid === uuid ? { spec, machineType } : null;
}

function parse(text: string): MachineSpec | null {
  try {
    return JSON.parse(text) as MachineSpec | null;
  } catch {
    return null;
  }
}
