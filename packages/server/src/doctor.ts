import { resolve } from 'node:path';
import type { DoctorReport } from '@wcc/api';
import { defaultFreeSpaceFloor } from './config/config.ts';
import { defaultDataDir } from './config/data-dir.ts';
import { ConfigError } from './config/errors.ts';
import type { Flag } from './config/options.ts';
import { toConfig } from './config/read-config.ts';
import type { Environment, Settings, SettingSources } from './config/settings.ts';
import { collectSettings, defaultConfigFile } from './config/settings.ts';
import { examine } from './doctor/examine.ts';
import type { DoctorSettings } from './doctor/places.ts';

export interface DoctorOptions {
  /** Settings of the server by their flags. @default as `wcc config` reads them */
  flags: Readonly<Partial<Record<Flag, string>>>;
  /** The configuration file. @default the file of the service, if it exists */
  file: string | null;
  environment: Environment;
}

/** Checks this host for a server with these settings. It changes nothing, and works with and without a server. */
export async function runDoctor({ flags, file, environment }: DoctorOptions): Promise<DoctorReport> {
  const sources = { flags, config: file, environment, defaultFile: defaultConfigFile };
  try {
    const settings = toConfig(collectSettings(sources), environment);
    return await examine({ settings });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { code, message, hint } = error;
    return examine({ settings: placesOnly(sources), problem: { code, message, hint } });
  }
}

/** What can be known of settings that the server refuses. */
function placesOnly(sources: SettingSources): DoctorSettings {
  const { values } = collectWhatCanBeRead(sources);
  const dataDir = resolve(values.get('data-dir')?.text ?? defaultDataDir(sources.environment));
  const pool = values.get('pool')?.text;
  return {
    dataDir,
    pool:
      pool === undefined
        ? { path: resolve(dataDir, 'images'), origin: 'default' }
        : { path: resolve(pool), origin: 'named' },
    hypervisor: { driver: 'auto', environment: {} },
    tls: null,
    publicUrl: null,
    host: '127.0.0.1',
    behindTlsProxy: false,
    ownCertificate: false,
    freeSpaceFloor: defaultFreeSpaceFloor,
  };
}

/** The file itself may be what is wrong. */
function collectWhatCanBeRead(sources: SettingSources): Settings {
  try {
    return collectSettings(sources);
  } catch {
    const environment = { ...sources.environment, WCC_CONFIG: undefined };
    return collectSettings({ ...sources, environment, config: null, defaultFile: null });
  }
}
