import type { DefineComponent, HTMLAttributes } from 'vue';
import type { OnAction, OnStateChange, ProgressProps } from './props.ts';

interface Listeners {
  /** A button was pressed: `@action`. */
  onAction?: OnAction;
  /** The operation changed its state: `@statechange`. */
  onStatechange?: OnStateChange;
}

/**
 * Types of `<wcc-progress>` in Vue templates: `import type {} from '@wcc/progress/element/vue'`. Set the compiler option
 * `isCustomElement: (tag) => tag === 'wcc-progress'`.
 */
declare module 'vue' {
  interface GlobalComponents {
    'wcc-progress': DefineComponent<Omit<HTMLAttributes, keyof ProgressProps> & ProgressProps & Listeners>;
  }
}
