import { en } from '@wcc/api/text';
import { registerLocale } from '@wcc/progress/text';

// The command line is English only.
registerLocale('en', en);

export { actionName, describeRow, warningText } from '@wcc/progress/text';
export { operationLine } from '@wcc/progress/terminal';
