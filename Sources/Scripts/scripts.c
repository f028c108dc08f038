/* The script library, one array a file. A new file needs an array and a row of the table. */
#include "Scripts.h"

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

static const unsigned char algorithm[] = {
#embed "lua/algorithm.lua"
};
static const unsigned char algorithm_state[] = {
#embed "lua/algorithm_state.lua"
};
static const unsigned char algorithms[] = {
#embed "lua/algorithms.lua"
};
static const unsigned char algorithms_astarpo[] = {
#embed "lua/algorithms/astarpo.lua"
};
static const unsigned char algorithms_dapo[] = {
#embed "lua/algorithms/dapo.lua"
};
static const unsigned char algorithms_dr_grpo[] = {
#embed "lua/algorithms/dr_grpo.lua"
};
static const unsigned char algorithms_grpo[] = {
#embed "lua/algorithms/grpo.lua"
};
static const unsigned char algorithms_oapl[] = {
#embed "lua/algorithms/oapl.lua"
};
static const unsigned char algorithms_online_dpo[] = {
#embed "lua/algorithms/online_dpo.lua"
};
static const unsigned char algorithms_ppo[] = {
#embed "lua/algorithms/ppo.lua"
};
static const unsigned char algorithms_rebel[] = {
#embed "lua/algorithms/rebel.lua"
};
static const unsigned char algorithms_reinforce[] = {
#embed "lua/algorithms/reinforce.lua"
};
static const unsigned char algorithms_rloo[] = {
#embed "lua/algorithms/rloo.lua"
};
static const unsigned char apo[] = {
#embed "lua/apo.lua"
};
static const unsigned char batches[] = {
#embed "lua/batches.lua"
};
static const unsigned char checkpoint[] = {
#embed "lua/checkpoint.lua"
};
static const unsigned char checkpoint_checksums[] = {
#embed "lua/checkpoint/checksums.lua"
};
static const unsigned char checkpoint_kept[] = {
#embed "lua/checkpoint/kept.lua"
};
static const unsigned char code_files[] = {
#embed "lua/code_files.lua"
};
static const unsigned char console[] = {
#embed "lua/console.lua"
};
static const unsigned char correct[] = {
#embed "lua/correct.lua"
};
static const unsigned char csv[] = {
#embed "lua/csv.lua"
};
static const unsigned char curve[] = {
#embed "lua/curve.lua"
};
static const unsigned char dataset[] = {
#embed "lua/dataset.lua"
};
static const unsigned char evaluate[] = {
#embed "lua/evaluate.lua"
};
static const unsigned char function_code[] = {
#embed "lua/function_code.lua"
};
static const unsigned char function_text[] = {
#embed "lua/function_text.lua"
};
static const unsigned char hook[] = {
#embed "lua/hook.lua"
};
static const unsigned char journal[] = {
#embed "lua/journal.lua"
};
static const unsigned char metrics[] = {
#embed "lua/metrics.lua"
};
static const unsigned char numbers_decimal[] = {
#embed "lua/numbers/decimal.lua"
};
static const unsigned char numbers_digits[] = {
#embed "lua/numbers/digits.lua"
};
static const unsigned char numbers_fractions[] = {
#embed "lua/numbers/fractions.lua"
};
static const unsigned char numbers_powers[] = {
#embed "lua/numbers/powers.lua"
};
static const unsigned char numbers_reader[] = {
#embed "lua/numbers/reader.lua"
};
static const unsigned char numbers_scan[] = {
#embed "lua/numbers/scan.lua"
};
static const unsigned char numbers_sign[] = {
#embed "lua/numbers/sign.lua"
};
static const unsigned char plain_data[] = {
#embed "lua/plain_data.lua"
};
static const unsigned char plot[] = {
#embed "lua/plot.lua"
};
static const unsigned char plot_axis[] = {
#embed "lua/plot_axis.lua"
};
static const unsigned char plot_chart[] = {
#embed "lua/plot_chart.lua"
};
static const unsigned char presets[] = {
#embed "lua/presets.lua"
};
static const unsigned char printable[] = {
#embed "lua/printable.lua"
};
static const unsigned char progress[] = {
#embed "lua/progress.lua"
};
static const unsigned char reached_code[] = {
#embed "lua/reached_code.lua"
};
static const unsigned char recorded[] = {
#embed "lua/recorded.lua"
};
static const unsigned char replay[] = {
#embed "lua/replay.lua"
};
static const unsigned char replay_report[] = {
#embed "lua/replay_report.lua"
};
static const unsigned char reward_memory[] = {
#embed "lua/reward_memory.lua"
};
static const unsigned char reward_timeout[] = {
#embed "lua/reward_timeout.lua"
};
static const unsigned char rewards[] = {
#embed "lua/rewards.lua"
};
static const unsigned char rewards_answer[] = {
#embed "lua/rewards/answer.lua"
};
static const unsigned char rewards_arithmetic[] = {
#embed "lua/rewards/arithmetic.lua"
};
static const unsigned char rewards_column[] = {
#embed "lua/rewards/column.lua"
};
static const unsigned char rewards_countdown[] = {
#embed "lua/rewards/countdown.lua"
};
static const unsigned char rewards_format[] = {
#embed "lua/rewards/format.lua"
};
static const unsigned char rewards_gsm8k[] = {
#embed "lua/rewards/gsm8k.lua"
};
static const unsigned char rewards_latex[] = {
#embed "lua/rewards/latex.lua"
};
static const unsigned char rewards_length[] = {
#embed "lua/rewards/length.lua"
};
static const unsigned char rewards_match[] = {
#embed "lua/rewards/match.lua"
};
static const unsigned char rewards_math[] = {
#embed "lua/rewards/math.lua"
};
static const unsigned char rewards_multiply[] = {
#embed "lua/rewards/multiply.lua"
};
static const unsigned char rewards_tags[] = {
#embed "lua/rewards/tags.lua"
};
static const unsigned char rewards_trim[] = {
#embed "lua/rewards/trim.lua"
};
static const unsigned char row_key[] = {
#embed "lua/row_key.lua"
};
static const unsigned char row_place[] = {
#embed "lua/row_place.lua"
};
static const unsigned char run_changes[] = {
#embed "lua/run_changes.lua"
};
static const unsigned char score[] = {
#embed "lua/score.lua"
};
static const unsigned char script_variables[] = {
#embed "lua/script_variables.lua"
};
static const unsigned char shuffle[] = {
#embed "lua/shuffle.lua"
};
static const unsigned char step[] = {
#embed "lua/step.lua"
};
static const unsigned char step_update[] = {
#embed "lua/step_update.lua"
};
static const unsigned char leaving[] = {
#embed "lua/leaving.lua"
};
static const unsigned char limited[] = {
#embed "lua/limited.lua"
};
static const unsigned char replay_samples[] = {
#embed "lua/replay_samples.lua"
};
static const unsigned char targets[] = {
#embed "lua/targets.lua"
};
static const unsigned char terms[] = {
#embed "lua/terms.lua"
};
static const unsigned char terms_critic[] = {
#embed "lua/terms_critic.lua"
};
static const unsigned char train[] = {
#embed "lua/train.lua"
};
static const unsigned char train_algorithm[] = {
#embed "lua/train_algorithm.lua"
};
static const unsigned char train_evaluation[] = {
#embed "lua/train_evaluation.lua"
};
static const unsigned char train_memory[] = {
#embed "lua/train_memory.lua"
};
static const unsigned char train_options[] = {
#embed "lua/train_options.lua"
};
static const unsigned char train_settings[] = {
#embed "lua/train_settings.lua"
};
static const unsigned char train_step[] = {
#embed "lua/train_step.lua"
};
static const unsigned char train_stop[] = {
#embed "lua/train_stop.lua"
};
static const unsigned char train_whole[] = {
#embed "lua/train_whole.lua"
};
static const unsigned char value_file[] = {
#embed "lua/value_file.lua"
};
static const unsigned char value_table[] = {
#embed "lua/value_table.lua"
};
static const unsigned char values[] = {
#embed "lua/values.lua"
};
static const unsigned char values_from[] = {
#embed "lua/values_from.lua"
};
static const unsigned char warnings[] = {
#embed "lua/warnings.lua"
};
static const unsigned char check_data[] = {
#embed "lua/check_data.lua"
};
static const unsigned char faults[] = {
#embed "lua/faults.lua"
};
static const unsigned char needs[] = {
#embed "lua/needs.lua"
};
static const unsigned char overlong[] = {
#embed "lua/overlong.lua"
};
static const unsigned char extension[] = {
#embed "lua/extension.lua"
};
static const unsigned char plot_text[] = {
#embed "lua/plot_text.lua"
};
static const unsigned char first_samples[] = {
#embed "lua/first_samples.lua"
};

#define SCRIPT(name, text) {name, text, sizeof text}

static const apo_script scripts[] = {
    SCRIPT("algorithm", algorithm),
    SCRIPT("algorithm_state", algorithm_state),
    SCRIPT("algorithms", algorithms),
    SCRIPT("algorithms.astarpo", algorithms_astarpo),
    SCRIPT("algorithms.dapo", algorithms_dapo),
    SCRIPT("algorithms.dr_grpo", algorithms_dr_grpo),
    SCRIPT("algorithms.grpo", algorithms_grpo),
    SCRIPT("algorithms.oapl", algorithms_oapl),
    SCRIPT("algorithms.online_dpo", algorithms_online_dpo),
    SCRIPT("algorithms.ppo", algorithms_ppo),
    SCRIPT("algorithms.rebel", algorithms_rebel),
    SCRIPT("algorithms.reinforce", algorithms_reinforce),
    SCRIPT("algorithms.rloo", algorithms_rloo),
    SCRIPT("apo", apo),
    SCRIPT("batches", batches),
    SCRIPT("checkpoint", checkpoint),
    SCRIPT("checkpoint.checksums", checkpoint_checksums),
    SCRIPT("checkpoint.kept", checkpoint_kept),
    SCRIPT("code_files", code_files),
    SCRIPT("console", console),
    SCRIPT("correct", correct),
    SCRIPT("csv", csv),
    SCRIPT("curve", curve),
    SCRIPT("dataset", dataset),
    SCRIPT("evaluate", evaluate),
    SCRIPT("function_code", function_code),
    SCRIPT("function_text", function_text),
    SCRIPT("hook", hook),
    SCRIPT("journal", journal),
    SCRIPT("metrics", metrics),
    SCRIPT("numbers.decimal", numbers_decimal),
    SCRIPT("numbers.digits", numbers_digits),
    SCRIPT("numbers.fractions", numbers_fractions),
    SCRIPT("numbers.powers", numbers_powers),
    SCRIPT("numbers.reader", numbers_reader),
    SCRIPT("numbers.scan", numbers_scan),
    SCRIPT("numbers.sign", numbers_sign),
    SCRIPT("plain_data", plain_data),
    SCRIPT("plot", plot),
    SCRIPT("plot_axis", plot_axis),
    SCRIPT("plot_chart", plot_chart),
    SCRIPT("presets", presets),
    SCRIPT("printable", printable),
    SCRIPT("progress", progress),
    SCRIPT("reached_code", reached_code),
    SCRIPT("recorded", recorded),
    SCRIPT("replay", replay),
    SCRIPT("replay_report", replay_report),
    SCRIPT("reward_memory", reward_memory),
    SCRIPT("reward_timeout", reward_timeout),
    SCRIPT("rewards", rewards),
    SCRIPT("rewards.answer", rewards_answer),
    SCRIPT("rewards.arithmetic", rewards_arithmetic),
    SCRIPT("rewards.column", rewards_column),
    SCRIPT("rewards.countdown", rewards_countdown),
    SCRIPT("rewards.format", rewards_format),
    SCRIPT("rewards.gsm8k", rewards_gsm8k),
    SCRIPT("rewards.latex", rewards_latex),
    SCRIPT("rewards.length", rewards_length),
    SCRIPT("rewards.match", rewards_match),
    SCRIPT("rewards.math", rewards_math),
    SCRIPT("rewards.multiply", rewards_multiply),
    SCRIPT("rewards.tags", rewards_tags),
    SCRIPT("rewards.trim", rewards_trim),
    SCRIPT("row_key", row_key),
    SCRIPT("row_place", row_place),
    SCRIPT("run_changes", run_changes),
    SCRIPT("score", score),
    SCRIPT("script_variables", script_variables),
    SCRIPT("shuffle", shuffle),
    SCRIPT("step", step),
    SCRIPT("step_update", step_update),
    SCRIPT("leaving", leaving),
    SCRIPT("limited", limited),
    SCRIPT("replay_samples", replay_samples),
    SCRIPT("targets", targets),
    SCRIPT("terms", terms),
    SCRIPT("terms_critic", terms_critic),
    SCRIPT("train", train),
    SCRIPT("train_algorithm", train_algorithm),
    SCRIPT("train_evaluation", train_evaluation),
    SCRIPT("train_memory", train_memory),
    SCRIPT("train_options", train_options),
    SCRIPT("train_settings", train_settings),
    SCRIPT("train_step", train_step),
    SCRIPT("train_stop", train_stop),
    SCRIPT("train_whole", train_whole),
    SCRIPT("value_file", value_file),
    SCRIPT("value_table", value_table),
    SCRIPT("values", values),
    SCRIPT("values_from", values_from),
    SCRIPT("warnings", warnings),
    SCRIPT("check_data", check_data),
    SCRIPT("faults", faults),
    SCRIPT("needs", needs),
    SCRIPT("overlong", overlong),
    SCRIPT("extension", extension),
    SCRIPT("plot_text", plot_text),
    SCRIPT("first_samples", first_samples),
    {0, 0, 0},
};

const apo_script *apo_scripts(void) { return scripts; }
