import type { ProgressActionDetail, ProgressStateDetail, WccProgressElement } from '../progress-element.ts';

/** The properties that a template may set. */
export type ProgressProps = {
  [Name in 'snapshot' | 'actions' | 'connection' | 'note' | 'locale' | 'compact' | 'heading' | 'href']?:
    WccProgressElement[Name] | undefined;
};

/** Listeners of the element's events. */
export type OnAction = ((event: CustomEvent<ProgressActionDetail>) => void) | undefined;
export type OnStateChange = ((event: CustomEvent<ProgressStateDetail>) => void) | undefined;
