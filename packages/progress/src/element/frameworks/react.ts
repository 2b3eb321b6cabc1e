import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { WccProgressElement } from '../progress-element.ts';
import type { OnAction, OnStateChange, ProgressProps } from './props.ts';

interface Props extends Omit<HTMLAttributes<WccProgressElement>, keyof ProgressProps>, ProgressProps {
  /** A button was pressed. */
  onaction?: OnAction;
  /** The operation changed its state. */
  onstatechange?: OnStateChange;
}

// Inside the module `react`, its own names would be private.
type ElementProps = DetailedHTMLProps<Props, WccProgressElement>;

/**
 * Types of `<wcc-progress>` in JSX: `import type {} from '@wcc/progress/element/react'`. React 19 sets properties and
 * listens to `onaction`; with React 18 set `snapshot` and listeners through a `ref`.
 */
declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'wcc-progress': ElementProps;
    }
  }
}
