/**
 * What is this file: one judgement for server, command line and console, by the first and last bytes.
 *
 * @packageDocumentation
 */
export { headBytes, judgeContent, judgeHead, judgeStart } from './judge.ts';
export type {
  AcceptedContent,
  Content,
  ContentRemark,
  HeadOptions,
  JudgeOptions,
  Judgement,
} from './judge.ts';
export type { Qcow2Header } from './qcow2-header.ts';
export type { ReadBytes } from './discs.ts';
export type { ContentCode, ContentRefusal } from './findings.ts';
export { explainRefusal, kindName, refusalReasons, refusalText } from './refusal-texts.ts';
export type { RefusalText } from './refusal-texts.ts';
