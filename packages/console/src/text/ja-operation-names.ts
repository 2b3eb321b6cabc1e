export { ja as wccJapanese } from '@wcc/api/text';
export { ja as japanese } from '@wcc/progress/element/locales/ja';
