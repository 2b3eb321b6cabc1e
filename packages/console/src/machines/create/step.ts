import type { FirstBootProfile } from '@wcc/api';
import type { TemplateResult } from 'lit';
import type { App } from '../../app/app.ts';
import type { VmsText } from '../text/text.ts';
import type { CreateProblem, CreateForm, CreateStep, CreateResources } from './form.ts';

/** What a step of the page reads and changes. */
export interface StepContext {
  app: App;
  words: VmsText;
  form: CreateForm;
  resources: CreateResources;
  problems: readonly CreateProblem[];
  /** The user's first-boot profile; `null` when it is not loaded. */
  profile: FirstBootProfile | null;
  change: (part: Partial<CreateForm>) => void;
  goTo: (step: CreateStep) => void;
}

/** Renders the fields of one step. */
export type Step = (context: StepContext) => TemplateResult;
