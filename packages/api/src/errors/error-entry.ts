/** One row of the error registry. */
export interface ErrorEntry {
  /** HTTP status; for errors of an operation, the status a refusal before its start would have. */
  status: number;
  /** What is wrong, when the thrower says nothing more exact. */
  message: string;
  /** What to do. */
  hint: string;
}
