/** How patients are shown: one form everywhere. */
import type { StudyLine } from "../generated/types";
import { t } from "./app.svelte";

/** An age as in the images, `061Y`, in words. Source: PS3.5 §6.2 (AS). */
export function age(text: string): string {
  const match = /^(\d{3})([YMWD])$/u.exec(text);
  if (!match) return text;
  const unit = { Y: "desk.age.years", M: "desk.age.months", W: "desk.age.weeks", D: "desk.age.days" } as const;
  return t(unit[match[2] as keyof typeof unit], { n: Number(match[1]) });
}

/** Sex in words. */
export function sex(letter: string): string {
  const known = { M: "desk.sex.m", F: "desk.sex.f", O: "desk.sex.o" } as const;
  return letter in known ? t(known[letter as keyof typeof known]) : "";
}

/** Sex and age, what is known of them. */
export function sexAge(line: StudyLine): string {
  return [sex(line.sex), age(line.age)].filter((part) => part !== "").join(" / ");
}
