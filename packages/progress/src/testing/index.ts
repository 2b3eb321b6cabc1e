export { gatewayConformance } from './gateway-conformance.ts';
export { ConformanceError } from './target.ts';
export type {
  ConformanceCase,
  ConformanceOperation,
  ConformanceTarget,
  ConformanceUser,
  EventsRequest,
} from './target.ts';
export { sampleSnapshot } from './sample-snapshot.ts';
export { startScriptedSession } from './scripted-session.ts';
export type { ScriptedSession, ScriptedSessionOptions, ScriptedVerdict } from './scripted-session.ts';
