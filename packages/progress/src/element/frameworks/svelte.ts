import type { HTMLAttributes } from 'svelte/elements';
import type { WccProgressElement } from '../progress-element.ts';
import type { OnAction, OnStateChange, ProgressProps } from './props.ts';

/** Types of `<wcc-progress>` in Svelte 5: `import type {} from '@wcc/progress/element/svelte'`. */
declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'wcc-progress': Omit<HTMLAttributes<WccProgressElement>, keyof ProgressProps> &
      ProgressProps & {
        /** A button was pressed. */
        onaction?: OnAction;
        /** The operation changed its state. */
        onstatechange?: OnStateChange;
      };
  }
}
