import { z } from 'zod';
import { findImageNameProblem, imageNameMaxBytes } from './image-name.ts';
import type { ImageNameProblem } from './image-name.ts';

export { findImageNameProblem, imageNameMaxBytes } from './image-name.ts';
export type { ImageNameProblem } from './image-name.ts';

const imageNameMessages: Record<ImageNameProblem, string> = {
  empty: 'The name is empty.',
  too_long: `The name is longer than ${imageNameMaxBytes} bytes.`,
  slash: 'The name contains a slash.',
  control_character: 'The name contains a control character.',
  leading_dot: 'The name starts with a dot; such files are hidden.',
  surrounding_space: 'The name starts or ends with white space.',
  malformed_unicode: 'The name is not well-formed Unicode.',
};

export const imageName = z.string().superRefine((name, context) => {
  const problem = findImageNameProblem(name);
  if (problem) context.addIssue({ code: 'custom', message: imageNameMessages[problem], params: { problem } });
});

/** Letters, digits, dot, underscore, hyphen; starts with a letter or digit; 1 to 32 characters. */
export const userName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, 'Use 1 to 32 of a-z 0-9 . _ - and start with a letter or digit.');

/** 10 to 1,024 characters; any character is allowed. */
export const password = z
  .string()
  .min(10, 'Use at least 10 characters.')
  .max(1024, 'Use at most 1,024 characters.');
